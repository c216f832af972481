/**
 * One sharer that sends without end to several clients, each behind a link of its own, with real
 * endpoints and handshakes in a simulated world. What the bytes are nobody looks at.
 */
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { ChannelHandler } from "../../lib/protocol/channel.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import type { EndpointOptions } from "../../lib/protocol/endpoint.ts";
import { WIRE_DONE } from "../../lib/errors.ts";
import type { DatagramHandler, DatagramSocket } from "../../lib/transport/socket.ts";
import { Side } from "./endpoint_pair.ts";
import type { LinkOptions } from "./link.ts";
import { codeFor } from "./share_codes.ts";
import type { SimLink, SimWorld } from "./sim_world.ts";

const SHARER: SocketAddress = { family: 4, host: "192.0.2.1", port: 4000 };
const FIRST_PORT = 5000;
const STRANGER_PORT = 20_000;
const BLOCK = new Uint8Array(64 * 1024);

/** One client and what it got. */
export interface WorldClient {
  readonly side: Side;
  /** From the sharer to it. */
  readonly forth: SimLink;
  /** From it to the sharer. */
  readonly back: SimLink;
  /** Block bytes that arrived, each once. */
  receivedBytes: number;
  /** How many of them may be taken out of its memory; the others wait, as for a slow disk. */
  takenBytes: number;
  /** The sharer's connection to it, once there is one. */
  connection: Connection | undefined;
}

/** Says how a client's world is. */
export interface ClientOptions {
  readonly link: LinkOptions;
  readonly settings?: Partial<EndpointOptions>;
  /** Bytes per second its disk takes; unlimited by default. */
  readonly diskBytesPerSecond?: number;
  /** When it comes, ms (default at once). */
  readonly arrivesAtMs?: number;
}

/** A share with several clients. */
export class ShareWorld {
  readonly sharer: Side;
  readonly clients: readonly WorldClient[];
  /** Its code. */
  readonly code: string;
  /** Takes what the sharer sends to others than the clients, by port. */
  readonly #strangers = new Map<number, DatagramHandler>();
  /** Bytes per second that the sharer's disk gives to each client; unlimited by default. */
  readonly #readBytesPerSecond: number;
  readonly #world: SimWorld;

  constructor(
    world: SimWorld,
    clients: readonly ClientOptions[],
    sharer: {
      readonly settings?: Partial<EndpointOptions>;
      readonly readBytesPerSecond?: number;
    } = {},
  ) {
    this.#world = world;
    this.#readBytesPerSecond = sharer.readBytesPerSecond ?? Infinity;
    this.sharer = new Side(world, nodeProvider, sharer.settings);
    const staticKeys = nodeProvider.generateKeyPair(world.prng);
    const t = shareCommitment(nodeProvider, staticKeys.publicKey);
    this.sharer.endpoint.listen({ t, staticKeys });
    this.code = codeFor(t, SHARER);
    this.clients = clients.map((options, index) => this.#addClient(options, index));
    this.sharer.attach((datagram, { remote: { port } }) => {
      const stranger = this.#strangers.get(port);
      if (stranger) stranger(datagram.slice(), SHARER);
      else this.clients[port - FIRST_PORT]!.forth.send(datagram);
    });
    this.sharer.onEvent = (event) => {
      if (event.type === "accepted") this.#serve(event.connection);
    };
    for (const [index, { side }] of this.clients.entries()) {
      const connect = () => {
        side.endpoint.connect(world.now, {
          t,
          staticKeys: nodeProvider.generateKeyPair(world.prng),
          paths: [{ socket: 0, remote: SHARER }],
          request: new Uint8Array(1),
        });
        side.drain();
      };
      const { arrivesAtMs = 0 } = clients[index]!;
      if (arrivesAtMs === 0) connect();
      else world.schedule(arrivesAtMs, connect);
    }
  }

  /** A socket for somebody who is none of the clients, 5 ms from the sharer. */
  bindStranger(): DatagramSocket {
    const port = STRANGER_PORT + this.#strangers.size;
    const from: SocketAddress = { family: 4, host: "192.0.2.66", port };
    const link = this.#world.link(
      { delayMs: 5 },
      (datagram) => this.sharer.deliver(datagram, from),
    );
    this.#strangers.set(port, () => {});
    return {
      family: 4,
      localAddress: from,
      receive: (handler) => {
        this.#strangers.set(port, handler);
        return new Promise(() => {});
      },
      send: (datagram) => {
        link.send(datagram);
        return Promise.resolve(true);
      },
      close: () => {},
    };
  }

  /** A client ends its session. */
  leave({ side }: WorldClient): void {
    side.connection!.close(WIRE_DONE, "");
    side.drain();
  }

  /** A client is gone without a word. */
  kill({ forth, back }: WorldClient): void {
    forth.model.up = back.model.up = false;
  }

  #addClient(options: ClientOptions, index: number): WorldClient {
    const world = this.#world;
    const { diskBytesPerSecond = Infinity } = options;
    const remote: SocketAddress = { family: 4, host: "192.0.2.2", port: FIRST_PORT + index };
    const side = new Side(world, nodeProvider, options.settings);
    const back = world.link(
      { ...options.link, lossRate: 0 },
      (datagram) => this.sharer.deliver(datagram, remote),
    );
    const client: WorldClient = {
      side,
      back,
      forth: world.link(options.link, (datagram) => side.deliver(datagram, SHARER)),
      receivedBytes: 0,
      takenBytes: 0,
      connection: undefined,
    };
    side.attach((datagram) => back.send(datagram));
    const arrived = new Set<number>();
    const take = (bytes: number) => {
      client.takenBytes += bytes;
      side.connection!.consumeBlockBytes(bytes);
    };
    side.onEvent = (event) => {
      if (event.type !== "connected") return;
      event.connection.setHandler(handler({
        handleBlock: (_request, offset, bytes) => {
          // Datagrams that were cut anew when sent again may overlap: that is no matter here.
          if (arrived.has(offset)) return 0;
          arrived.add(offset);
          client.receivedBytes += bytes.length;
          if (diskBytesPerSecond === Infinity) take(bytes.length);
          return bytes.length;
        },
      }));
      if (diskBytesPerSecond === Infinity) return;
      const write = () => {
        const bytes = Math.min(
          diskBytesPerSecond / 100,
          client.receivedBytes - client.takenBytes,
        );
        take(bytes);
        side.drain();
        world.schedule(world.nowMs + 10, write);
      };
      write();
    };
    return client;
  }

  #serve(connection: Connection): void {
    const client = this.clients[connection.path.remote.port - FIRST_PORT];
    if (client) client.connection = connection;
    let offset = 0;
    const startMs = this.#world.nowMs;
    const feed = () => {
      const readable = this.#readBytesPerSecond * (this.#world.nowMs + 1 - startMs) / 1000;
      while (
        offset < readable && connection.blockQueuedBytes < connection.blockQueueTargetBytes
      ) {
        connection.sendBlock({ request: 1, offset, bytes: BLOCK });
        offset += BLOCK.length;
      }
    };
    connection.setHandler(handler({ handleWritable: feed }));
    if (this.#readBytesPerSecond === Infinity) return feed();
    const read = () => {
      feed();
      this.sharer.drain();
      this.#world.schedule(this.#world.nowMs + 10, read);
    };
    read();
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
