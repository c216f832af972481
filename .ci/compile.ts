// deno-lint-ignore-file no-console -- a script: what it prints is what it is for
/**
 * `deno task compile`: the program as one file for each system, in `dist/`, with the sums of all of
 * them in `dist/SHA256SUMS`. Without a flag for this machine alone, and that binary is then started
 * once to see that it runs; with `--all` for every system, with `--target TARGET` for that one.
 *
 * `deno compile` needs the runtime that goes into the file (denort) for each target and downloads
 * it once from dl.deno.land. Where that cannot be had, this says so and ends with status 1.
 */
import { binaryPath, DIRECTORY, startBinary, TARGETS, writeSums } from "./binaries.ts";

/**
 * What the program may do, for good. Files are unscoped because the paths are only known when it
 * runs. It gets no `--allow-run`, `--allow-ffi` or `--allow-import`, and cannot ask for more.
 */
const FLAGS: readonly string[] = [
  "--unstable-net",
  "--allow-net",
  "--allow-sys=networkInterfaces,statfs",
  "--allow-env=P2PFT_CODE,TERM,P2PFT_HOME,XDG_DATA_HOME,HOME,LOCALAPPDATA",
  "--allow-read",
  "--allow-write",
  "--no-prompt",
];

/** The targets a command line asks for; undefined when it cannot be understood. */
function wantedTargets(args: readonly string[]): readonly string[] | undefined {
  if (args.length === 0) return [Deno.build.target];
  if (args.length === 1 && args[0] === "--all") return TARGETS;
  if (args.length === 2 && args[0] === "--target" && TARGETS.includes(args[1]!)) return [args[1]!];
  return undefined;
}

/** Runs this Deno; what it says goes where our own words go. */
async function deno(...args: readonly string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn();
  return (await child.status).code;
}

/** Compiles for one target; on failure says why. */
async function compile(target: string): Promise<boolean> {
  const status = await deno(
    "compile",
    "--frozen",
    "--no-check",
    "--exclude-unused-npm",
    ...FLAGS,
    "--target",
    target,
    "--output",
    binaryPath(target),
    "cli.ts",
  );
  if (status === 0) return true;
  const runtime = `https://dl.deno.land/release/v${Deno.version.deno}/denort-${target}.zip`;
  const reason = await reasonUnreachable(runtime);
  console.error(
    reason === undefined
      ? `error: Cannot compile for ${target}: deno compile ended with status ${status}, see above`
      : `error: Cannot compile for ${target}: the compile runtime cannot be downloaded from here\n` +
        `  needed (once, then it is kept): ${runtime}\n  ${reason}`,
  );
  return false;
}

/** Why `url` cannot be had; undefined when it can. */
async function reasonUnreachable(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { method: "HEAD" });
    return response.ok ? undefined : `the server answers with status ${response.status}`;
  } catch (error) {
    // What fetch throws when there is no connection at all.
    if (!(error instanceof TypeError)) throw error;
    return error.cause instanceof Error ? error.cause.message : error.message;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const targets = wantedTargets(args);
  if (targets === undefined) {
    console.error(
      `error: Cannot understand "${args.join(" ")}"\n` +
        `  give nothing, --all, or --target with one of ${TARGETS.join(", ")}`,
    );
    return 2;
  }
  if (await deno("check", "--frozen", "cli.ts") !== 0) {
    console.error("error: Cannot compile: the program does not pass the type check, see above");
    return 1;
  }
  await Deno.mkdir(DIRECTORY, { recursive: true });
  // Stops at the first that fails: the others would mostly fail for the same reason.
  for (const target of targets) if (!await compile(target)) return 1;
  await writeSums();
  for (const target of targets) console.log(binaryPath(target));
  if (!targets.includes(Deno.build.target)) return 0;
  const path = binaryPath(Deno.build.target);
  const problem = await startBinary(path);
  if (problem !== undefined) console.error(`error: Cannot run ${path}: ${problem}`);
  return problem === undefined ? 0 : 1;
}

Deno.exit(await main(Deno.args));
