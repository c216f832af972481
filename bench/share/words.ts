/** What the processes of this benchmark say to each other, a line of JSON each. */

/** What a sharer is told. */
export type SharerOrder =
  /** A reply code that a person pastes. */
  | { readonly reply: string }
  /** Say how much memory is in use. */
  | { readonly ask: "memory" };

/** What a sharer says. */
export type SharerSaid = { readonly code: string } | MemorySaid;

/** Memory of a process that has just collected its garbage. */
export interface MemorySaid {
  /** Objects and buffers in use, bytes. */
  readonly usedBytes: number;
}

/** How clients behave. */
export type ClientsManner =
  /** They take what they can. */
  | "greedy"
  /** They do, and let every other process of this machine go first, as clients elsewhere would. */
  | "giving-way"
  /** They acknowledge what comes and give no credit back. */
  | "stalled";

/** What the process of the receivers is told. */
export type ClientsOrder =
  /** So many more clients connect, and ask for the largest file without end. */
  | { readonly connect: number; readonly code: string; readonly how: ClientsManner }
  /** Say how much has come. */
  | { readonly ask: "count" };

/** What the process of the receivers says. */
export type ClientsSaid =
  /** Everybody has got the first byte. */
  | { readonly connected: number }
  | CountSaid;

/** How much has come at a moment. */
export interface CountSaid {
  /** When, by a clock that never jumps, ms. */
  readonly atMs: number;
  /** File bytes by client. */
  readonly bytes: readonly number[];
}

/** What somebody who joins by a reply code says; the times by the system's clock, ms since 1970. */
export type JoinerSaid = { readonly replyCode: string } | { readonly firstByteAtMs: number };

/** Prints a line. */
export function say<Said>(said: Said): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(said)}\n`));
}
