/**
 * A UDP forwarder on loopback that stands in a code in the sharer's place and keeps what passes. Like
 * an Ethernet, and unlike loopback, it carries no datagram above 1472 bytes.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { ETHERNET_DATAGRAM_BYTES_V4 } from "../../lib/protocol/params.ts";
import { codeFor, readCode } from "./share_codes.ts";

const LOOPBACK = "127.0.0.1";

/** Forwards between one client and a sharer. */
export class RecordingProxy implements Disposable {
  /** The sharer's code with this proxy's address. */
  readonly code: string;
  /** What went to the sharer, in order. */
  readonly toSharer: Uint8Array[] = [];
  /** What went to the client, in order. */
  readonly toClient: Uint8Array[] = [];
  /** Most bytes that the client had got more than it had sent, before its third datagram. */
  owedBytes = 0;
  readonly #front = new DenoSocket({ family: 4, host: LOOPBACK, port: 0 });
  readonly #back = new DenoSocket({ family: 4, host: LOOPBACK, port: 0 });
  #client: SocketAddress | undefined;
  #balance = 0;

  /** @param code The sharer's code with one address. */
  constructor(code: string) {
    const { t, candidates } = readCode(code);
    const sharer = candidates[0]!.address;
    this.code = codeFor(t, this.#front.localAddress);
    void this.#front.receive((datagram, from) => {
      if (datagram.length > ETHERNET_DATAGRAM_BYTES_V4) return;
      this.#client = { ...from };
      this.toSharer.push(datagram.slice());
      this.#balance += datagram.length;
      void this.#back.send(datagram.slice(), sharer);
    });
    void this.#back.receive((datagram) => {
      if (datagram.length > ETHERNET_DATAGRAM_BYTES_V4) return;
      this.toClient.push(datagram.slice());
      this.#balance -= datagram.length;
      // Two handshake datagrams prove that the client receives at its address.
      if (this.toSharer.length < 2) this.owedBytes = Math.max(this.owedBytes, -this.#balance);
      if (this.#client) void this.#front.send(datagram.slice(), this.#client);
    });
  }

  [Symbol.dispose](): void {
    this.#front.close();
    this.#back.close();
  }
}
