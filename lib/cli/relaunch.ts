/**
 * Starting again with `--unstable-net`. The fast UDP socket exists only with that flag, and a
 * published package cannot set it for those who run it, so the program sets it for itself where
 * everything was granted with `-A`. Scoped grants cannot be listed and handed on: then the caller
 * prints the command instead.
 *
 * This runs before anything else: nothing of the program is loaded for it but `permissions.ts`,
 * `installation.ts`, `code_variable.ts` and where identities are kept.
 */
import { CODE_VARIABLE } from "./code_variable.ts";
import { type Installation, moduleSpecifier } from "./installation.ts";

/** Set for the second process, so that it never starts a third. */
export const RELAUNCHED_VARIABLE = "P2PFT_RELAUNCHED";

/** Commands that open a socket. */
const NETWORK_COMMANDS: ReadonlySet<string> = new Set([
  "send",
  "share",
  "wait",
  "receive",
  "doctor",
]);

/** Those of them that take a code as a word of its own. */
const CODE_COMMANDS: ReadonlySet<string> = new Set(["receive", "doctor"]);

/** The option of `send` whose value is a code; empty, it stands for one that is in the environment. */
const CODE_OPTION = "--to";

/** Whether `args` name a command that needs the flag; help and version do not. */
export function needsSocket(args: readonly string[]): boolean {
  return args.some((word) => NETWORK_COMMANDS.has(word)) &&
    !args.some((word) => word === "--help" || word === "-h" || word === "--version");
}

/** What to start. */
export interface Relaunch {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Options of `receive` whose value is the next word and could look like a code. */
const VALUE_OPTIONS: ReadonlySet<string> = new Set([
  "-o",
  "--output",
  "--manifest",
  "--offer",
  "--from",
  "--remember",
  "--home",
]);

function looksLikeCode(word: string): boolean {
  return /^p2p1[0-9a-z]{22}/.test(word.toLowerCase().replace(/[\s-]/g, ""));
}

/** Takes the code out of `args`; codes may be typed with capitals, spaces and dashes. */
function takeCode(args: readonly string[]): { code?: string; rest: string[] } {
  const command = args.find((word) => NETWORK_COMMANDS.has(word));
  if (command === "send") return takeOptionCode(args);
  if (command === undefined || !CODE_COMMANDS.has(command)) return { rest: [...args] };
  const index = args.findIndex((word, position) =>
    looksLikeCode(word) && !VALUE_OPTIONS.has(args[position - 1] ?? "")
  );
  if (index < 0) return { rest: [...args] };
  return { code: args[index]!, rest: args.toSpliced(index, 1) };
}

/** Takes the code out of `--to CODE` and `--to=CODE`. */
function takeOptionCode(args: readonly string[]): { code?: string; rest: string[] } {
  for (const [index, word] of args.entries()) {
    if (word === "--") break;
    const isApart = word === CODE_OPTION;
    const code = isApart ? args[index + 1] ?? "" : word.slice(CODE_OPTION.length + 1);
    if (!isApart && !word.startsWith(`${CODE_OPTION}=`)) continue;
    if (!looksLikeCode(code)) continue;
    return { code, rest: args.toSpliced(index, isApart ? 2 : 1, `${CODE_OPTION}=`) };
  }
  return { rest: [...args] };
}

/**
 * The words and the environment of the second process: everything granted, the flag, and never the
 * configuration of the folder it happens to run in. A code goes from the words to the environment.
 *
 * @param configPath The program's own `deno.json` where it runs from a folder that has one: it says
 * where packages are. A published package knows that by itself.
 */
export function planRelaunch(
  args: readonly string[],
  installation: Installation,
  configPath?: string,
): Relaunch {
  const { code, rest } = takeCode(args);
  return {
    args: [
      "run",
      "--allow-all",
      "--unstable-net",
      ...(configPath === undefined ? ["--no-config"] : ["--config", configPath]),
      moduleSpecifier(installation),
      ...rest,
    ],
    env: {
      [RELAUNCHED_VARIABLE]: "1",
      ...(code === undefined ? {} : { [CODE_VARIABLE]: code }),
    },
  };
}

const PASSED_ON: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Runs the second process on this one's terminal and files and passes signals on to it.
 *
 * @returns Its exit status.
 */
export async function relaunch(plan: Relaunch, windows: boolean): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...plan.args],
    env: { ...plan.env },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const removers = PASSED_ON.filter((signal) => !windows || signal === "SIGINT").map((signal) => {
    const listener = () => {
      // On Windows the console tells both processes, and kill() would end it without cleaning up.
      if (windows) return;
      try {
        child.kill(signal);
      } catch (error) {
        // It ended in this moment: its status is on the way.
        if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
      }
    };
    Deno.addSignalListener(signal, listener);
    return () => Deno.removeSignalListener(signal, listener);
  });
  try {
    return (await child.status).code;
  } finally {
    for (const remove of removers) remove();
  }
}
