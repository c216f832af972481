/** What the processes of a soak say to each other, and what they have in common. */

/** Every second. */
export interface MemorySaid {
  /** Resident set, bytes. */
  readonly rss: number;
  /** Bytes of objects and buffers that are in use. */
  readonly used: number;
}

/** What a sharer says. */
export type SharerSaid = MemorySaid | { readonly code: string };

/** What a client is told to take. */
export interface ClientOrder {
  readonly code: string;
  readonly directory: string;
}

/** What a client says. */
export type ClientSaid = MemorySaid | {
  /** `done`, or the code of an error. */
  readonly end: string;
  readonly resumedBytes: number;
};

/** Everything stays on this machine, and on the path that the code names. */
export const LOOPBACK = {
  allowLoopback: true,
  localAddresses: false,
  stunServers: [],
  portMapping: false,
};

/** Prints a line. */
export function say<Said>(said: Said): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(said)}\n`));
}

/** Tells of memory every second, until the timer is cleared. */
export function sayMemory(): ReturnType<typeof setInterval> {
  return setInterval(() => {
    const { rss, heapUsed, external } = Deno.memoryUsage();
    say<MemorySaid>({ rss, used: heapUsed + external });
  }, 1000);
}
