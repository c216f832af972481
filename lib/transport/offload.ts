/**
 * What the kernel can take off a UDP socket's hands, on Linux through `socket_option.ts`: cutting one
 * large send into datagrams of equal length (segmentation offload, `UDP_SEGMENT`), handing over
 * several received datagrams of one address in one piece (`UDP_GRO`), and larger buffers. One call
 * then moves dozens of datagrams, which is most of what they cost.
 *
 * The wire does not change. The pieces do not say where one datagram ends: who receives them must
 * know (docs/protocol.md, "Telling datagrams apart"). Whether trains really arrive as they should on
 * this machine is found out by `offload_check.ts`.
 *
 * Numbers are of `linux/udp.h` and `asm-generic/socket.h`.
 */
import type { SocketAddress } from "../nat/address.ts";
import { SOL_SOCKET } from "./libc.ts";
import { SocketOptions } from "./socket_option.ts";

const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const UDP_GRO = 104;

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
/** Beyond the system's bound, for a program with CAP_NET_ADMIN. */
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;

/**
 * What is asked for; the kernel counts its own bookkeeping too and so reports twice of it. 4 MiB are
 * 8 ms at 4 Gbit/s: a pause of the program's garbage collector.
 */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** The offload of one bound socket. */
export class Offload {
  readonly #options: SocketOptions;
  #segmentBytes = 0;

  private constructor(options: SocketOptions) {
    this.#options = options;
  }

  /**
   * Finds the options of a bound socket; changes nothing.
   *
   * @param family Of the socket.
   * @param address What it is bound to.
   * @returns Undefined where there are none: without FFI, or elsewhere than on Linux. Not to be used
   * after the socket was closed.
   */
  static of(family: 4 | 6, address: SocketAddress): Offload | undefined {
    const options = SocketOptions.of(family, address);
    return options && new Offload(options);
  }

  /** Bytes of the receive buffer, the kernel's bookkeeping included; undefined when unknown. */
  get receiveBufferBytes(): number | undefined {
    return this.#options.get(SOL_SOCKET, SO_RCVBUF);
  }

  /** Bytes of the send buffer, counted in the same way. */
  get sendBufferBytes(): number | undefined {
    return this.#options.get(SOL_SOCKET, SO_SNDBUF);
  }

  /** Makes both buffers as large as the system lets, and never smaller. */
  enlargeBuffers(): void {
    this.#enlarge(SO_RCVBUF, SO_RCVBUFFORCE);
    this.#enlarge(SO_SNDBUF, SO_SNDBUFFORCE);
  }

  #enlarge(name: number, forceName: number): void {
    const bytes = this.#options.get(SOL_SOCKET, name);
    if (bytes === undefined || bytes >= BUFFER_BYTES) return;
    if (this.#options.set(SOL_SOCKET, forceName, BUFFER_BYTES)) return;
    this.#options.set(SOL_SOCKET, name, BUFFER_BYTES);
  }

  /** Whether the system knows both options; received datagrams may come joined from now on. */
  start(): boolean {
    if (this.#options.get(SOL_UDP, UDP_SEGMENT) !== 0) return false;
    return this.#options.set(SOL_UDP, UDP_GRO, 1) && this.#options.get(SOL_UDP, UDP_GRO) === 1;
  }

  /**
   * Has what is sent from now on cut into datagrams of this length; 0 cuts nothing. Calls the system
   * only when the length changes (0.3 µs).
   *
   * @returns Whether it is in effect.
   */
  cutSendsAt(segmentBytes: number): boolean {
    if (segmentBytes === this.#segmentBytes) return true;
    if (!this.#options.set(SOL_UDP, UDP_SEGMENT, segmentBytes)) return false;
    this.#segmentBytes = segmentBytes;
    return true;
  }
}
