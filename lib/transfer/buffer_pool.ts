/**
 * Byte buffers that are used again. A fresh megabyte costs more than filling it does, because the
 * system hands it out page by page; so buffers go round.
 */
import { GROUP_BYTES } from "./limits.ts";

/** Thousands of tiny files may be on the way at a time, each with a buffer. */
const SMALLEST_BYTES = 512;

/** Buffers below this are cut from a piece of it. */
const SLAB_BYTES = 65_536;

/** Lends buffers in sizes of powers of two from 512 bytes to 1 MiB. */
export class BufferPool {
  readonly #free: Uint8Array<ArrayBuffer>[][] = [];
  readonly #keepBytes: number;
  #keptBytes = 0;

  /**
   * @param keepBytes How many unused bytes are kept; what comes back beyond goes to the collector.
   */
  constructor(keepBytes = 64 * GROUP_BYTES) {
    this.#keepBytes = keepBytes;
    for (let bytes = SMALLEST_BYTES; bytes <= GROUP_BYTES; bytes *= 2) this.#free.push([]);
  }

  /**
   * Lends a buffer; what was in it before is still in it.
   *
   * @param length 0 to 1 MiB.
   * @returns A buffer of at least `length` bytes; give back exactly this one.
   * @throws {RangeError} If `length` is above 1 MiB.
   */
  take(length: number): Uint8Array<ArrayBuffer> {
    if (!(length <= GROUP_BYTES)) {
      throw new RangeError(`Cannot lend a buffer of ${length} bytes: more than ${GROUP_BYTES}`);
    }
    const list = this.#free[sizeClass(length)]!;
    const buffer = list.pop();
    if (buffer === undefined) return this.#make(SMALLEST_BYTES << sizeClass(length));
    this.#keptBytes -= buffer.length;
    return buffer;
  }

  /** Makes a buffer, and where it is small others beside it: memory of its own is dear for each. */
  #make(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes >= SLAB_BYTES) return new Uint8Array(bytes);
    const slab = new ArrayBuffer(SLAB_BYTES);
    for (let offset = bytes; offset < SLAB_BYTES; offset += bytes) {
      this.#keep(new Uint8Array(slab, offset, bytes));
    }
    return new Uint8Array(slab, 0, bytes);
  }

  /** Takes a buffer of {@linkcode BufferPool.take} back. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.#keep(buffer);
  }

  #keep(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#keptBytes + buffer.length > this.#keepBytes) return;
    this.#keptBytes += buffer.length;
    this.#free[sizeClass(buffer.length)]!.push(buffer);
  }
}

/** 0 for up to 512 bytes, then one more for each doubling. */
function sizeClass(length: number): number {
  return length <= SMALLEST_BYTES ? 0 : 32 - Math.clz32((length - 1) >>> 9);
}
