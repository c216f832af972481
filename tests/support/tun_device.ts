/**
 * A TUN device of Linux: a network interface whose other end is this program, one IP packet at a
 * time. Deno has no call for it; the C library's, through FFI, are enough.
 *
 * Waiting blocks a thread of Deno's pool and not this one; reading and writing never wait.
 */

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
/** `_IOW('T', 202, int)` of linux/if_tun.h, on x86-64 and arm64. */
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN = 1;
/** Packets come without a header of the device's own. */
const IFF_NO_PI = 0x1000;
const IFREQ_BYTES = 40;
const IFREQ_FLAGS = 16;
const POLLIN = 1;

const SYMBOLS = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  read: { parameters: ["i32", "buffer", "u64"], result: "i64" },
  write: { parameters: ["i32", "buffer", "u64"], result: "i64" },
} as const;

/** An open device. */
export class TunDevice {
  readonly #library: Deno.DynamicLibrary<typeof SYMBOLS> = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #descriptor: number;

  /**
   * Attaches to a device.
   *
   * @param name Of one that exists already: `ip tuntap add dev NAME mode tun`.
   * @throws {Error} If it cannot be opened: no root, no such device, or another program has it.
   */
  constructor(name: string) {
    const { open, ioctl } = this.#library.symbols;
    this.#descriptor = open(new TextEncoder().encode("/dev/net/tun\0"), O_RDWR | O_NONBLOCK);
    if (this.#descriptor < 0) throw new Error("Cannot open /dev/net/tun");
    const request = new Uint8Array(IFREQ_BYTES);
    new TextEncoder().encodeInto(name, request);
    new Uint16Array(request.buffer, IFREQ_FLAGS, 1)[0] = IFF_TUN | IFF_NO_PI;
    if (ioctl(this.#descriptor, BigInt(TUNSETIFF), request) !== 0) {
      throw new Error(`Cannot attach to the TUN device ${name}`);
    }
  }

  /**
   * Waits until there is something to read.
   *
   * @param limitMs Longest wait.
   */
  async readable(limitMs: number): Promise<void> {
    const request = new Uint8Array(8);
    const view = new DataView(request.buffer);
    view.setInt32(0, this.#descriptor, true);
    view.setInt16(4, POLLIN, true);
    await this.#library.symbols.poll(request, 1n, limitMs);
  }

  /** Reads one packet. Returns its bytes, or 0 when there is none now. */
  read(into: Uint8Array<ArrayBuffer>): number {
    const length = this.#library.symbols.read(this.#descriptor, into, BigInt(into.length));
    return Math.max(0, Number(length));
  }

  /** Writes one packet; the system drops it when it has no room. */
  write(packet: Uint8Array<ArrayBuffer>): void {
    this.#library.symbols.write(this.#descriptor, packet, BigInt(packet.length));
  }
}
