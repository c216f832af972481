/** A group of a file that is read once for all clients that want it at about the same time. */
import type { HeldBytes } from "./held_bytes.ts";

const NO_BYTES = new Uint8Array(0);

/** Who wants a group to be read. */
export interface GroupReading {
  /** Asked before it is read: nothing is read for nobody. */
  readonly isWanted: boolean;
  /** It was short or could not be read: nothing is read behind it. */
  handleShort(): void;
}

/** A group, from the moment on when somebody wants it. */
export class SharedGroup implements HeldBytes {
  /** Its place in the file, from 0. */
  readonly index: number;
  /** How many bytes it should have. */
  readonly length: number;
  /** Filled once {@linkcode SharedGroup.whenRead} has resolved. */
  buffer: Uint8Array<ArrayBuffer> = NO_BYTES;
  /** How many bytes there were; −1 when it could not be read. */
  readBytes = 0;
  /** Resolves when it was read, or nobody wanted it any more. Never rejects for what a disk does. */
  whenRead: Promise<void> = Promise.resolve();
  /** Its hash, from the moment on when somebody wants it. */
  hash: Promise<Uint8Array> | undefined;
  /** Who wants it to be read; undefined once that was tried. */
  readings: GroupReading[] | undefined = [];
  /** How many use it. */
  users = 1;
  readonly #onUnused: (group: SharedGroup) => void;

  /**
   * @param index Its place in the file.
   * @param length How many bytes it should have.
   * @param onUnused Told when nobody uses it any more.
   */
  constructor(index: number, length: number, onUnused: (group: SharedGroup) => void) {
    this.index = index;
    this.length = length;
    this.#onUnused = onUnused;
  }

  /** Its bytes. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, Math.max(this.readBytes, 0));
  }

  /** See {@linkcode HeldBytes.hold}. */
  hold(): void {
    this.users++;
  }

  /** See {@linkcode HeldBytes.release}. */
  release(): void {
    if (--this.users === 0) this.#onUnused(this);
  }
}
