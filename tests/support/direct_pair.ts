/**
 * Two connections without a network in between, one of which sends blocks to the other without end:
 * for what a datagram costs in time and memory, and nothing else.
 */
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import type { CryptoProvider } from "../../lib/crypto/provider.ts";
import type { ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import type { CongestionName } from "../../lib/protocol/congestion/choose.ts";
import { Connection } from "../../lib/protocol/connection.ts";
import { ETHERNET_DATAGRAM_BYTES_V4 } from "../../lib/protocol/params.ts";
import { defaultParameters } from "../../lib/protocol/transport_parameters.ts";
import { instant } from "../../lib/time.ts";

const BLOCK_BYTES = 1024 * 1024;
const BLOCKS = 4;
const ROUND_MS = 0.1;

/** What the pair is like. */
export interface DirectPairOptions {
  readonly congestion?: CongestionName;
  /** One in so many datagrams of the sender gets lost (default none). */
  readonly lossEvery?: number;
}

/** A sender and a receiver. */
export class DirectPair implements ChannelHandler {
  readonly sender: Connection;
  readonly receiver: Connection;
  readonly #lossEvery: number;
  readonly #out = new Uint8Array(ETHERNET_DATAGRAM_BYTES_V4);
  #sentDatagrams = 0;
  #nowMs = 0;

  constructor(provider: CryptoProvider, { congestion, lossEvery }: DirectPairOptions = {}) {
    this.#lossEvery = lossEvery ?? Number.POSITIVE_INFINITY;
    this.sender = newConnection(provider, 1, 2, congestion);
    this.receiver = newConnection(provider, 2, 1, congestion);
    this.sender.setHandler(this);
    this.receiver.setHandler(this);
    const bytes = new Uint8Array(BLOCK_BYTES);
    for (let index = 0; index < BLOCKS; index++) {
      this.sender.sendBlock({ request: 1, offset: 0, bytes });
    }
  }

  /** Until that many datagrams have left the sender, in rounds of a tenth of a millisecond. */
  run(datagrams: number): void {
    for (const end = this.#sentDatagrams + datagrams; this.#sentDatagrams < end;) {
      const now = instant(this.#nowMs += ROUND_MS);
      this.sender.handleTimeout(now);
      this.receiver.handleTimeout(now);
      this.#carry(this.sender, this.receiver);
      this.#carry(this.receiver, this.sender);
    }
  }

  #carry(from: Connection, to: Connection): void {
    const now = instant(this.#nowMs);
    for (;;) {
      const length = from.pollTransmit(now, this.#out);
      if (length === 0) return;
      if (from === this.sender && ++this.#sentDatagrams % this.#lossEvery === 0) continue;
      to.handlePacket(now, this.#out, 0, length);
    }
  }

  handleControl(): void {}

  handleBlock(_request: number, _offset: number, bytes: Uint8Array): number {
    this.receiver.consumeBlockBytes(bytes.length);
    return bytes.length;
  }

  handleBlockReleased(block: OutgoingBlock): void {
    this.sender.sendBlock(block);
  }

  handleWritable(): void {}
}

function newConnection(
  provider: CryptoProvider,
  mine: number,
  theirs: number,
  congestion: CongestionName | undefined,
): Connection {
  return new Connection(instant(0), {
    sealer: new PacketSealer(provider, new Uint8Array(32).fill(mine)),
    opener: new PacketOpener(provider, new Uint8Array(32).fill(theirs)),
    local: defaultParameters(new Uint8Array(6).fill(mine)),
    remote: defaultParameters(new Uint8Array(6).fill(theirs)),
    path: { socket: 0, remote: { family: 4, host: "192.0.2.1", port: theirs } },
    random: { fill: (out) => void out.fill(mine) },
    rttMs: 2 * ROUND_MS,
    ...(congestion === undefined ? {} : { congestion }),
  });
}
