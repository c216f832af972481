/**
 * What a process and its children used: processor time of all their threads and their largest
 * resident memory, as Linux counts them in /proc. Looked at every 20 ms while they run, because
 * nothing is left to look at when they have ended: at most that much of the end is missed. Other
 * systems tell nothing.
 */

/** Used so far. */
export interface ProcessUsage {
  /** User and system time of all threads, children included. */
  readonly cpuSeconds: number;
  /**
   * Largest resident set (VmHWM), the pages of the program's own file included; where there are
   * children, the largest sum of those that ran at one time, shared pages counted in each.
   */
  readonly peakBytes: number;
}

const INTERVAL_MS = 20;
/** USER_HZ: the unit of times in /proc/PID/stat on every architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Watches one process and its children until it is disposed of. */
export class UsageWatch implements Disposable {
  readonly #pid: number;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #startSeconds: number;
  #last: ProcessUsage | undefined;

  /** @param pid What runs before now, a server for example, is not counted. */
  constructor(pid: number) {
    this.#pid = pid;
    this.#startSeconds = usageOfTree(pid)?.cpuSeconds ?? 0;
    this.#timer = setInterval(() => this.look(), INTERVAL_MS);
  }

  /** What they had used when they were last seen; undefined where the system tells nothing. */
  get last(): ProcessUsage | undefined {
    return this.#last;
  }

  /** Looks once more; of use while the process still runs. */
  look(): void {
    const usage = usageOfTree(this.#pid);
    // A process that is ending has no memory any more.
    if (usage === undefined || usage.peakBytes === 0) return;
    const { cpuSeconds = 0, peakBytes = 0 } = this.#last ?? {};
    this.#last = {
      // Between its end and its parent's taking note of it a child may be missing for a moment.
      cpuSeconds: Math.max(cpuSeconds, usage.cpuSeconds - this.#startSeconds),
      peakBytes: Math.max(peakBytes, usage.peakBytes),
    };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** A process and all that run below it, parents first; children of its main threads only. */
export function processTree(pid: number): number[] {
  const tree = [pid];
  for (const parent of tree) {
    const children = readIfThere(`/proc/${parent}/task/${parent}/children`) ?? "";
    tree.push(...children.split(" ").filter((word) => word !== "").map(Number));
  }
  return tree;
}

/** Processor time of one process by itself, s; 0 when it has ended. */
export function cpuSecondsOf(pid: number): number {
  return usageOf(pid)?.cpuSeconds ?? 0;
}

/** Memory of one process that is resident now, bytes; 0 when it has ended. */
export function residentBytesOf(pid: number): number {
  const status = readIfThere(`/proc/${pid}/status`) ?? "";
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function usageOfTree(pid: number): ProcessUsage | undefined {
  let sum: ProcessUsage | undefined;
  for (const member of processTree(pid)) {
    const usage = usageOf(member);
    if (usage === undefined) continue;
    sum = {
      cpuSeconds: (sum?.cpuSeconds ?? 0) + usage.cpuSeconds,
      peakBytes: (sum?.peakBytes ?? 0) + usage.peakBytes,
    };
  }
  return sum;
}

function usageOf(pid: number): ProcessUsage | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const status = readIfThere(`/proc/${pid}/status`);
  if (stat === undefined || status === undefined) return undefined;
  // The second field is the name in parentheses, which may hold spaces; utime, stime and the same of
  // children that ended and were waited for are the 14th to 17th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? "0";
  return { cpuSeconds: ticks / TICKS_PER_SECOND, peakBytes: Number(peak) * 1024 };
}

/** Undefined when the process has ended, or this is not Linux. */
function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return undefined;
    throw error;
  }
}

/** Reading about a process that ends at this moment fails with ESRCH, 3, which may have no code. */
function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && error.message.includes("(os error 3)");
}
