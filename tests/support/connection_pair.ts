/**
 * Two connections with real keys over two links of a world, without handshake and endpoint: both
 * send control bytes and blocks to the other, and every byte that arrives is checked.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import type { ChannelHandler, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { Connection } from "../../lib/protocol/connection.ts";
import type { ConnectionOptions } from "../../lib/protocol/connection_options.ts";
import { MAX_DATAGRAM_BYTES } from "../../lib/protocol/params.ts";
import { defaultParameters } from "../../lib/protocol/transport_parameters.ts";
import type { LinkOptions } from "./link.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

const BLOCK_BYTES = 20_000;

/** One side: a connection that sends and takes synthetic bytes. */
export class PairSide implements ChannelHandler {
  readonly connection: Connection;
  readonly sealer: PacketSealer;
  readonly opener: PacketOpener;
  /** Block bytes that arrived, each once. */
  receivedBytes = 0;
  /** Control bytes that arrived. */
  controlBytes = 0;
  readonly #world: SimWorld;
  readonly #out = new Uint8Array(MAX_DATAGRAM_BYTES);
  readonly #lent = new Set<OutgoingBlock>();
  readonly #arrived = new Set<number>();
  #link!: SimLink;
  #cancelTimer = (): void => {};

  constructor(
    world: SimWorld,
    secrets: { readonly mine: Uint8Array; readonly theirs: Uint8Array },
    ids: { readonly mine: number; readonly theirs: number },
    options: Partial<ConnectionOptions>,
  ) {
    this.#world = world;
    this.sealer = new PacketSealer(nodeProvider, secrets.mine);
    this.opener = new PacketOpener(nodeProvider, secrets.theirs);
    this.connection = new Connection(world.now, {
      sealer: this.sealer,
      opener: this.opener,
      local: defaultParameters(new Uint8Array(6).fill(ids.mine)),
      remote: defaultParameters(new Uint8Array(6).fill(ids.theirs)),
      path: { socket: 0, remote: { family: 4, host: "192.0.2.1", port: ids.theirs } },
      random: world.prng,
      ...options,
    });
    this.connection.setHandler(this);
  }

  /** Blocks queued and not given back. */
  get lentCount(): number {
    return this.#lent.size;
  }

  /** Sets where datagrams go. */
  attach(link: SimLink): void {
    this.#link = link;
  }

  /** Queues `bytes` of blocks, and a control byte for each. */
  queue(bytes: number): void {
    for (let offset = 0; offset < bytes; offset += BLOCK_BYTES) {
      const length = Math.min(BLOCK_BYTES, bytes - offset);
      const block = {
        request: 1,
        offset,
        bytes: Uint8Array.from({ length }, (_, i) => offset + i),
      };
      this.#lent.add(block);
      this.connection.sendBlock(block);
      this.connection.sendControl(new Uint8Array([offset / BLOCK_BYTES]));
    }
    this.drain();
  }

  /** Takes a datagram. */
  deliver(datagram: Uint8Array): void {
    this.connection.handlePacket(this.#world.now, datagram, 0, datagram.length);
    this.drain();
  }

  /** Sends what is due and arms the timer. */
  drain(): void {
    for (;;) {
      const length = this.connection.pollTransmit(this.#world.now, this.#out);
      if (length === 0) break;
      this.#link.send(this.#out.subarray(0, length));
    }
    this.#cancelTimer();
    this.#cancelTimer = this.#world.schedule(this.connection.pollTimeout(), () => {
      this.connection.handleTimeout(this.#world.now);
      this.drain();
      assert.ok(this.connection.pollTimeout() > this.#world.nowMs, "a timer that goes on and on");
    });
  }

  handleControl(bytes: Uint8Array): void {
    for (const byte of bytes) assert.equal(byte, this.controlBytes++ & 0xff);
  }

  handleBlock(_request: number, offset: number, bytes: Uint8Array): number {
    let fresh = 0;
    for (let index = 0; index < bytes.length; index++) {
      assert.equal(bytes[index], (offset + index) & 0xff);
      if (this.#arrived.has(offset + index)) continue;
      this.#arrived.add(offset + index);
      fresh++;
    }
    this.receivedBytes += fresh;
    this.connection.consumeBlockBytes(fresh);
    return fresh;
  }

  handleBlockReleased(block: OutgoingBlock): void {
    assert.ok(this.#lent.delete(block), "a block given back twice");
  }

  handleWritable(): void {}
}

/** Two sides. */
export class ConnectionPair {
  readonly a: PairSide;
  readonly b: PairSide;
  /** From a to b. */
  readonly forth: SimLink;
  /** From b to a. */
  readonly back: SimLink;

  constructor(
    world: SimWorld,
    links: { readonly forth: LinkOptions; readonly back?: LinkOptions },
    options: Partial<ConnectionOptions> = {},
  ) {
    const [first, second] = [world.prng.bytes(32), world.prng.bytes(32)];
    this.a = new PairSide(world, { mine: first, theirs: second }, { mine: 1, theirs: 2 }, options);
    this.b = new PairSide(world, { mine: second, theirs: first }, { mine: 2, theirs: 1 }, options);
    this.forth = world.link(links.forth, (datagram) => this.b.deliver(datagram));
    this.back = world.link(links.back ?? links.forth, (datagram) => this.a.deliver(datagram));
    this.a.attach(this.forth);
    this.b.attach(this.back);
    this.a.drain();
    this.b.drain();
  }
}
