/**
 * Network namespaces of Linux for tests: made with `ip netns`, and gone afterwards whatever
 * happened. Needs root and `ip` from iproute2; {@linkcode netnsProblem} says what is missing.
 *
 * Not here: what is in them (`internet.ts`) and who translates addresses between them
 * (`tun_router.ts`, `kernel_router.ts`).
 *
 * Names are `p2pft-PID-START-COUNT-NAME`: the process that made them, when that process started, and
 * its how-manieth set it is. Two things remove them:
 * - A guardian, a shell that waits for the end of its standard input. That comes when the set is
 *   disposed of, and also when the test's process is interrupted or killed.
 * - Whoever opens the next set: names whose process is no more are leftovers of a run that was killed
 *   together with its guardian.
 */
import { within } from "./within.ts";

const PREFIX = "p2pft-";

/** Longest time for a script that configures, and for the guardian to clear up. */
const LIMIT_MS = 30_000;

/**
 * Shell functions. `remove PREFIX` ends every process in the namespaces so named (only their owner
 * starts any there), then the namespaces; with them go their links, addresses and routes.
 */
const SHELL_FUNCTIONS = `
names() { ls /var/run/netns 2>/dev/null || true; }
remove() {
  for name in $(names); do
    case $name in
    "$1"*)
      for pid in $(ip netns pids "$name"); do kill -9 "$pid"; done
      ip netns del "$name";;
    esac
  done
}
started() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
`;

/**
 * Waits for the end of input; an interrupt from the keyboard reaches it too and must not end it. It
 * does so in a shell of its own, because Deno kills its own children when it ends in good order.
 */
const GUARDIAN = `${SHELL_FUNCTIONS}
trap '' INT TERM HUP
(
  cat >/dev/null
  remove "$1"
  for name in $(names); do case $name in "$1"*) exit 1;; esac; done
)
exit $?
`;

/** Prints when the process $1 started; removes what processes that are gone have left behind. */
const SWEEP = `${SHELL_FUNCTIONS}
for name in $(names); do
  case $name in
  ${PREFIX}*-*-*-*)
    rest=\${name#${PREFIX}}; pid=\${rest%%-*}; rest=\${rest#*-}; start=\${rest%%-*}
    # Another run may be removing the same.
    [ "$(started "$pid")" = "$start" ] || remove "${PREFIX}$pid-$start-" 2>/dev/null || true;;
  esac
done
started "$1"
`;

let setCount = 0;

/** A set of namespaces that comes and goes as one. */
export class Namespaces implements AsyncDisposable {
  readonly #prefix: string;
  readonly #guardian: Deno.ChildProcess;

  private constructor(prefix: string) {
    this.#prefix = prefix;
    this.#guardian = new Deno.Command("sh", {
      args: ["-c", GUARDIAN, "sh", prefix],
      stdin: "piped",
      stderr: "null",
    }).spawn();
  }

  /** Starts an empty set, after leftovers of killed runs were removed. */
  static async open(): Promise<Namespaces> {
    const start = await runShell(SWEEP, [`${Deno.pid}`]);
    setCount++;
    return new Namespaces(`${PREFIX}${Deno.pid}-${start.trim()}-${setCount}-`);
  }

  /**
   * Makes a namespace with its loopback up.
   *
   * @param name Unique in the set: lower-case letters and digits.
   * @param options `forwards`: whether it passes on packets that are not for it.
   */
  async add(name: string, options: { readonly forwards?: boolean } = {}): Promise<Namespace> {
    const namespace = new Namespace(this.#prefix + name);
    await runShell(`ip netns add ${namespace.name}`);
    // Addresses of IPv6 count at once, not after a second of asking whether somebody has them too.
    await namespace.shell(`
      cd /proc/sys/net
      for which in all default; do
        echo 0 > ipv6/conf/$which/accept_dad
        echo 0 > ipv6/conf/$which/accept_ra
        echo 0 > ipv4/conf/$which/rp_filter
      done
      ip link set lo up
      ${options.forwards ? "echo 1 > ipv4/ip_forward; echo 1 > ipv6/conf/all/forwarding" : ""}`);
    return namespace;
  }

  /** Ends what runs in the namespaces and removes them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#guardian.stdin.close();
    const { success } = await within("namespaces to go", this.#guardian.status, LIMIT_MS);
    if (!success) throw new Error(`Namespaces ${this.#prefix}* are still there`);
  }
}

/** One namespace. */
export class Namespace {
  /** As `ip netns` knows it. */
  readonly name: string;

  /** For {@linkcode Namespaces.add}. */
  constructor(name: string) {
    this.name = name;
  }

  /** What to put in front of a command so that it runs inside; it becomes the command. */
  get wrapper(): readonly string[] {
    return ["ip", "netns", "exec", this.name];
  }

  /**
   * Runs a shell script inside; its first failing command ends it.
   *
   * @returns What it printed.
   * @throws {Error} With what it printed on standard error, when it failed.
   */
  async shell(script: string): Promise<string> {
    return await runShell(script, [], this.wrapper);
  }

  /** Starts a program inside. */
  command(words: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
    const [program, ...args] = [...this.wrapper, ...words];
    return new Deno.Command(program!, { ...options, args });
  }
}

/**
 * Runs a shell script; its first failing command ends it.
 *
 * @param args `$1`, `$2`, … of the script.
 * @param wrapper What to run the shell under.
 * @returns What it printed.
 * @throws {Error} With what it printed on standard error, when it failed.
 */
export async function runShell(
  script: string,
  args: readonly string[] = [],
  wrapper: readonly string[] = [],
): Promise<string> {
  const [program, ...rest] = [...wrapper, "sh", "-ec", script, "sh", ...args];
  const child = new Deno.Command(program!, { args: rest, stdin: "null" }).output();
  const { success, stdout, stderr } = await within("a shell script", child, LIMIT_MS);
  if (!success) throw new Error(`Script failed: ${decode(stderr).trim()}\n${script}`);
  return decode(stdout);
}

/** Whether a program is installed. */
export async function hasProgram(name: string): Promise<boolean> {
  // Daemons live where only root looks.
  const path = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `command -v ${name}`],
    env: { PATH: path },
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/**
 * Why namespaces with links between them, and routers in user space, cannot be made here; undefined
 * when they can.
 */
export async function netnsProblem(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  if (!await hasProgram("ip")) return "needs ip from iproute2";
  try {
    await using namespaces = await Namespaces.open();
    const one = await namespaces.add("one");
    await one.shell(`
      ip link add name one type veth peer name two
      ip link add name three type bridge
      ip tuntap add dev four mode tun`);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return `needs namespaces, veth, bridges and TUN: ${error.message.split("\n")[0]}`;
  }
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
