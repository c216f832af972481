/** Where the two sides of a transfer run: on this machine itself, or in namespaces of their own. */

/** One machine, or what stands for one. */
export interface Host {
  /** Its IPv4 address, as the others reach it. */
  readonly address: string;
  /** The words that run a program in it; none for this machine. */
  readonly wrapper: readonly string[];
}

/** The hosts of one transfer. */
export interface Place {
  readonly sender: Host;
  readonly receiver: Host;
  /** Where a server runs that a tool needs for both sides to meet. */
  readonly helper: Host;
  /** Arguments of our own emulator, where that stands between the two: for our program only. */
  readonly emulator?: readonly string[];
}

const THIS_MACHINE: Host = { address: "127.0.0.1", wrapper: [] };

/** Both sides on this machine. */
export const LOOPBACK: Place = {
  sender: THIS_MACHINE,
  receiver: THIS_MACHINE,
  helper: THIS_MACHINE,
};
