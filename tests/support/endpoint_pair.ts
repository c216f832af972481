/**
 * A sharer and a client in one simulated world, with real endpoints and handshakes, over two links:
 * the sharer sends a synthetic file and control bytes, the client checks every byte. Checkers look at
 * both after every step.
 */
import assert from "node:assert/strict";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { CryptoProvider } from "../../lib/crypto/provider.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { ChannelHandler } from "../../lib/protocol/channel.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import { Endpoint, type EndpointEvent, type EndpointOptions } from "../../lib/protocol/endpoint.ts";
import type { Path } from "../../lib/nat/path.ts";
import { IDLE_TIMEOUT_MS } from "../../lib/protocol/params.ts";
import type { LinkOptions } from "./link.ts";
import type { PathNetwork } from "./path_network.ts";
import type { SimWorld } from "./sim_world.ts";

const SHARER: SocketAddress = { family: 4, host: "192.0.2.1", port: 4000 };
const CLIENT: SocketAddress = { family: 4, host: "192.0.2.2", port: 5000 };
const BLOCK_BYTES = 64 * 1024;
/** Larger than the largest datagram. */
const DATAGRAM_BUFFER_BYTES = 2048;
/** Sends by one side without time passing that are more than any burst: a loop. */
const MAX_BURST = 100_000;

/** What a pair is made of. */
export interface PairOptions {
  /** The one path there is, by default the same both ways; without it a network carries. */
  readonly link?: LinkOptions;
  /** The path back to the sharer. */
  readonly backLink?: LinkOptions;
  /** Carries datagrams between sockets and addresses, in place of one link. */
  readonly network?: PathNetwork;
  /** Bytes of the synthetic file. */
  readonly fileBytes: number;
  /** Control bytes for each block. */
  readonly controlBytesPerBlock?: number;
  readonly provider?: CryptoProvider;
}

/** One side: an endpoint, its link, and what it has told. */
export class Side {
  readonly endpoint: Endpoint;
  readonly events: EndpointEvent[] = [];
  connection: Connection | undefined;
  /** When the last datagram came. */
  lastArrivalMs = 0;
  /** Called with each event. */
  onEvent: (event: EndpointEvent) => void = () => {};
  readonly #world: SimWorld;
  readonly #out = new Uint8Array(DATAGRAM_BUFFER_BYTES);
  #send!: (datagram: Uint8Array, path: Path) => void;
  #cancelTimer = (): void => {};

  constructor(
    world: SimWorld,
    provider: CryptoProvider,
    settings: Partial<EndpointOptions> = {},
  ) {
    this.#world = world;
    this.endpoint = new Endpoint({ provider, random: world.prng, wake: () => {}, ...settings });
  }

  /** Sets where datagrams go. */
  attach(send: (datagram: Uint8Array, path: Path) => void): void {
    this.#send = send;
  }

  /** Takes a datagram from the other side. */
  deliver(datagram: Uint8Array, from: SocketAddress, socket = 0): void {
    this.lastArrivalMs = this.#world.nowMs;
    this.endpoint.handleDatagram(this.#world.now, datagram, socket, from);
    this.drain();
  }

  /** Stops the clock of this side for a while: nothing is sent or due, as when a machine sleeps. */
  sleep(untilMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#world.schedule(untilMs, () => {
      this.endpoint.handleTimeout(this.#world.now);
      this.drain();
    });
  }

  /** Does what the contract of the endpoint asks for after every call. */
  drain(): void {
    for (let count = 0;; count++) {
      assert.ok(count < MAX_BURST, "an endpoint sends without end");
      const length = this.endpoint.pollTransmit(this.#world.now, this.#out);
      if (length === 0) {
        if (!this.#takeEvents()) break;
        continue;
      }
      this.#send(this.#out.subarray(0, length), this.endpoint.transmitPath);
    }
    this.#cancelTimer();
    this.#cancelTimer = this.#world.schedule(this.endpoint.pollTimeout(), () => {
      this.endpoint.handleTimeout(this.#world.now);
      this.drain();
    });
  }

  #takeEvents(): boolean {
    let isAny = false;
    for (;;) {
      const event = this.endpoint.pollEvent();
      if (!event) return isAny;
      isAny = true;
      this.events.push(event);
      if (event.type !== "closed") this.connection = event.connection;
      this.onEvent(event);
    }
  }
}

/** The byte of the synthetic file at an offset: every 64 KiB block differs from every other. */
function syntheticByte(offset: number): number {
  return (offset * 7 + (offset >>> 16) * 13) & 0xff;
}

/** A transfer in progress. */
export class EndpointPair {
  readonly sharer: Side;
  readonly client: Side;
  /** Bytes of the file that arrived. */
  receivedBytes = 0;
  /** Bytes that arrived again. */
  repeatedBytes = 0;
  /** Control bytes that arrived, all in order. */
  controlBytes = 0;
  readonly #world: SimWorld;
  readonly #options: PairOptions;
  readonly #arrived: Uint8Array;
  #queuedBytes = 0;
  #queuedControlBytes = 0;

  constructor(world: SimWorld, options: PairOptions) {
    const provider = options.provider ?? nodeProvider;
    this.#world = world;
    this.#options = options;
    this.#arrived = new Uint8Array(options.fileBytes);
    this.sharer = new Side(world, provider);
    this.client = new Side(world, provider);
    if (options.network) {
      options.network.join("sharer", this.sharer);
      options.network.join("client", this.client);
    } else {
      const forth = world.link(
        options.link ?? {},
        (datagram) => this.client.deliver(datagram, SHARER),
      );
      const back = world.link(
        options.backLink ?? options.link ?? {},
        (datagram) => this.sharer.deliver(datagram, CLIENT),
      );
      this.sharer.attach((datagram) => forth.send(datagram));
      this.client.attach((datagram) => back.send(datagram));
    }
    this.sharer.onEvent = (event) => {
      if (event.type === "accepted") this.#serve(event.connection);
    };
    this.client.onEvent = (event) => {
      if (event.type === "connected") this.#take(event.connection);
    };
    const staticKeys = provider.generateKeyPair(world.prng);
    const t = shareCommitment(provider, staticKeys.publicKey);
    this.sharer.endpoint.listen({ t, staticKeys });
    this.client.endpoint.connect(world.now, {
      t,
      staticKeys: provider.generateKeyPair(world.prng),
      paths: [{ socket: 0, remote: options.network?.addressOf("sharer", 0) ?? SHARER }],
      request: new Uint8Array([1, 2, 3]),
    });
    this.sharer.drain();
    this.client.drain();
  }

  /** Whether everything has arrived and the sharer knows it. */
  get isComplete(): boolean {
    return this.receivedBytes === this.#options.fileBytes &&
      this.controlBytes === this.#queuedControlBytes &&
      this.sharer.connection?.blockQueuedBytes === 0 &&
      this.sharer.connection.controlQueuedBytes === 0;
  }

  /** Whether a side gave up because the path had carried nothing to it for the idle timeout. */
  get wasCutOff(): boolean {
    return [this.sharer, this.client].some((side) =>
      side.connection?.closed?.code === "path_lost" &&
      this.#world.nowMs - side.lastArrivalMs >= IDLE_TIMEOUT_MS
    );
  }

  /** What must hold after every step. */
  check(): void {
    assert.ok(this.receivedBytes <= this.#queuedBytes);
    for (const side of [this.sharer, this.client]) {
      const connection = side.connection;
      if (!connection) continue;
      if (!this.wasCutOff) assert.equal(connection.closed, undefined, "closed by itself");
      const { inFlightBytes, windowBytes, datagramBytes } = connection.statistics;
      assert.ok(inFlightBytes >= 0, "negative bytes in flight");
      assert.ok(datagramBytes >= 1200 && datagramBytes <= 1472);
      assert.ok(windowBytes >= 2 * 1200, "the window is below its least");
      assert.ok(connection.blockQueuedBytes <= 64 * 1024 * 1024 + BLOCK_BYTES);
    }
  }

  #serve(connection: Connection): void {
    const fileBytes = this.#options.fileBytes;
    const controlBytes = this.#options.controlBytesPerBlock ?? 32;
    const feed = () => {
      while (
        this.#queuedBytes < fileBytes &&
        connection.blockQueuedBytes < connection.blockQueueTargetBytes
      ) {
        const offset = this.#queuedBytes;
        const length = Math.min(BLOCK_BYTES, fileBytes - offset);
        const bytes = Uint8Array.from({ length }, (_, index) => syntheticByte(offset + index));
        this.#queuedBytes += length;
        connection.sendBlock({ request: 1, offset, bytes });
        const control = Uint8Array.from(
          { length: controlBytes },
          (_, index) => syntheticByte(this.#queuedControlBytes + index),
        );
        this.#queuedControlBytes += control.length;
        connection.sendControl(control);
      }
    };
    connection.setHandler(handler({ handleWritable: feed }));
    feed();
  }

  #take(connection: Connection): void {
    connection.setHandler(handler({
      handleControl: (bytes) => {
        for (let index = 0; index < bytes.length; index++) {
          assert.equal(bytes[index], syntheticByte(this.controlBytes + index), "control bytes");
        }
        this.controlBytes += bytes.length;
      },
      handleBlock: (request, offset, bytes) => {
        if (request !== 1 || offset + bytes.length > this.#arrived.length) return -1;
        let fresh = 0;
        for (let index = 0; index < bytes.length; index++) {
          assert.equal(bytes[index], syntheticByte(offset + index), "block bytes");
          if (this.#arrived[offset + index] === 1) continue;
          this.#arrived[offset + index] = 1;
          fresh++;
        }
        this.receivedBytes += fresh;
        this.repeatedBytes += bytes.length - fresh;
        connection.consumeBlockBytes(fresh);
        return fresh;
      },
    }));
  }
}

function handler(parts: Partial<ChannelHandler>): ChannelHandler {
  return {
    handleControl: () => {},
    handleBlock: () => -1,
    handleBlockReleased: () => {},
    handleWritable: () => {},
    ...parts,
  };
}
