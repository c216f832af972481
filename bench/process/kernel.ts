/** The congestion controls of the kernel's TCP, and leave for namespaces to use them. */

const FOLDER = "/proc/sys/net/ipv4";

/** Of this kernel; none where it is not Linux. */
export function congestionControls(): string[] {
  return readWords("tcp_available_congestion_control");
}

/** What TCP uses here by itself; undefined where it is not Linux. */
export function usualCongestionControl(): string | undefined {
  return readWords("tcp_congestion_control")[0];
}

/**
 * Lets every namespace use all of them until it is disposed of: without leave a namespace may only
 * have those that the kernel calls unrestricted. Needs root.
 */
export class CongestionControlLeave implements Disposable {
  readonly #before: readonly string[];

  constructor() {
    this.#before = readWords("tcp_allowed_congestion_control");
    write(congestionControls());
  }

  [Symbol.dispose](): void {
    write(this.#before);
  }
}

function write(names: readonly string[]): void {
  Deno.writeTextFileSync(`${FOLDER}/tcp_allowed_congestion_control`, names.join(" "));
}

function readWords(name: string): string[] {
  try {
    return Deno.readTextFileSync(`${FOLDER}/${name}`).trim().split(" ");
  } catch (error) {
    // Only Linux has it.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
