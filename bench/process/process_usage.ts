/**
 * What a process of ours used: processor time of all its threads and its largest resident memory,
 * as Linux counts them in /proc. Looked at every 20 ms while it runs, because nothing is left to
 * look at when it has ended: at most that much of its end is missed. Other systems tell nothing.
 * What the kernel says of all UDP sockets together is here too.
 */

/** Used so far. */
export interface ProcessUsage {
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Largest resident set (VmHWM), the pages of the Deno binary itself included. */
  readonly peakBytes: number;
}

const INTERVAL_MS = 20;
/** USER_HZ: the unit of times in /proc/PID/stat on every architecture that Deno runs on. */
const TICKS_PER_SECOND = 100;

/** Watches one process until it is disposed of. */
export class UsageWatch implements Disposable {
  readonly #pid: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #last: ProcessUsage | undefined;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => this.#look(), INTERVAL_MS);
  }

  /** What it had used when it was last seen; undefined where the system tells nothing. */
  get last(): ProcessUsage | undefined {
    return this.#last;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    try {
      this.#last = readUsage(this.#pid) ?? this.#last;
    } catch (error) {
      // It has ended, or this is not Linux.
      if (!(error instanceof Deno.errors.NotFound) && !isNoSuchProcess(error)) throw error;
    }
  }
}

function readUsage(pid: number): ProcessUsage | undefined {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  // The second field is the name in parentheses, which may hold spaces; utime and stime are the
  // 14th and 15th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  // A process that is ending has no memory any more.
  if (peak === undefined) return undefined;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    peakBytes: Number(peak) * 1024,
  };
}

/** Reading about a process that ends at this moment fails with ESRCH. */
function isNoSuchProcess(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ESRCH";
}

/**
 * How many UDP datagrams this machine has thrown away since it started because a receive buffer was
 * full; undefined where the system does not tell.
 */
export function bufferDrops(): number | undefined {
  let table: string;
  try {
    table = Deno.readTextFileSync("/proc/net/snmp");
  } catch (error) {
    // Only Linux has it.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const [names, values] = [...table.matchAll(/^Udp: (.*)$/gm)].map(([, line]) => line!.split(" "));
  return Number(values?.[names?.indexOf("RcvbufErrors") ?? -1]);
}
