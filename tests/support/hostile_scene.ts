/**
 * A share with an honest client that takes its time, and room for evil ones: whole programs on an
 * in-memory network in virtual time. When all is over the honest transfer must be complete and the
 * same to the byte.
 */
import assert from "node:assert/strict";
import type { ErrorEvent, TransferEvent } from "../../lib/events.ts";
import type { ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import { type Receive, receive } from "../../lib/receive.ts";
import { type Share, share } from "../../lib/share.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { EvilPeer } from "./evil_peer.ts";
import { FakeStorage } from "./fake_storage.ts";
import type { LinkOptions } from "./link.ts";
import { SimNetwork } from "./sim_network.ts";
import { SimWorld } from "./sim_world.ts";

/** The host of the share. */
export const SHARER_HOST = "10.0.0.1";
/** The host of the honest client. */
export const HONEST_HOST = "10.0.0.2";
/** Where evil peers and strangers are. */
export const EVIL_HOST = "10.0.0.66";
const SHARER_PORT = 4000;
/** Fast enough to be done soon, slow enough to be in the middle of it while evil is done. */
const LINK: LinkOptions = { delayMs: 10, rateBytesPerSecond: 2_000_000, queueBytes: 100_000 };

/** A datagram that an onlooker saw. */
export interface SeenDatagram {
  readonly from: SocketAddress;
  readonly to: SocketAddress;
  readonly bytes: Uint8Array;
}

/** One operation and what it told. */
export interface Watched<Operation> {
  readonly operation: Operation;
  readonly events: TransferEvent[];
  /** Resolves when its events end. */
  readonly over: Promise<void>;
}

function watch<Operation extends AsyncIterable<TransferEvent>>(
  operation: Operation,
): Watched<Operation> {
  const events: TransferEvent[] = [];
  const over = (async () => {
    for await (const event of operation) events.push(event);
  })();
  return { operation, events, over };
}

/** The share, its network and its honest client. */
export class HostileScene {
  readonly world: SimWorld;
  readonly net: SimNetwork;
  readonly source = new FakeStorage();
  /** Every datagram that a socket sent, in order, while {@linkcode HostileScene.isCapturing}. */
  readonly captured: SeenDatagram[] = [];
  isCapturing = false;
  /** Bytes that were sent to a host. */
  readonly bytesTo = new Map<string, number>();
  readonly #link: LinkOptions;
  #port = 6000;

  constructor(seed: number, link: LinkOptions = LINK) {
    this.world = new SimWorld(seed);
    this.#link = link;
    this.net = new SimNetwork(
      this.world,
      (from, to) => from === EVIL_HOST || to === EVIL_HOST ? { delayMs: 5 } : this.#link,
    );
  }

  /** Binds a socket whose datagrams are counted and, if wanted, captured. */
  bind(host: string, port = 0): DatagramSocket {
    const socket = this.net.network.bind(host, port);
    const { localAddress: from } = socket;
    return {
      family: socket.family,
      localAddress: from,
      receive: (handler) => socket.receive(handler),
      close: () => socket.close(),
      limitHops: (hops) => socket.limitHops?.(hops) ?? false,
      send: (bytes, to) => {
        this.bytesTo.set(to.host, (this.bytesTo.get(to.host) ?? 0) + bytes.length);
        if (this.isCapturing) this.captured.push({ from, to, bytes: bytes.slice() });
        return socket.send(bytes, to);
      },
    };
  }

  /** Shares `/share`, with a file of this many bytes in it, for many clients. */
  async share(fileBytes = 3_000_000, options: ShareOptions = {}): Promise<Watched<Share>> {
    const { source, world } = this;
    const prng = world.prng.fork();
    source.addFile("/share/large", prng.bytes(fileBytes));
    for (let index = 0; index < 20; index++) {
      source.addFile(`/share/some/file ${index}`, prng.bytes(prng.integer(0, 4000)));
    }
    return watch(
      await share(["/share"], {
        clock: world.clock,
        random: world.prng,
        sockets: [this.bind(SHARER_HOST, SHARER_PORT)],
        addresses: [`${SHARER_HOST}:${SHARER_PORT}`],
        storage: source,
        ...options,
      }),
    );
  }

  /** Receives into `/in` on a host. */
  receive(
    code: string,
    options: ReceiveOptions & { readonly storage: FakeStorage; readonly host?: string },
  ): Watched<Receive> {
    const { host = HONEST_HOST, ...rest } = options;
    return watch(receive(code, {
      clock: this.world.clock,
      random: this.world.prng,
      sockets: [this.bind(host, this.#port++)],
      directory: "/in",
      ...rest,
    }));
  }

  /** An evil client of a share, on a socket of its own. */
  evilClient(code: string, request?: Uint8Array): EvilPeer {
    return EvilPeer.client(this.bind(EVIL_HOST, this.#port++), code, this.world.prng, request);
  }

  /**
   * An evil sharer, on a socket of its own.
   *
   * @param t What keys its handshake; by default the commitment to its key.
   */
  evilSharer(t?: Uint8Array): ReturnType<typeof EvilPeer.sharer> {
    return EvilPeer.sharer(this.bind(EVIL_HOST, this.#port++), this.world.prng, t);
  }

  /** Lets virtual time pass. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.world.schedule(this.world.nowMs + ms, resolve);
    });
  }

  /** Runs `play` in virtual time. */
  run<T>(play: () => Promise<T>, limitMs = 600_000): Promise<T> {
    return this.world.runAsync({ until: play(), limitMs: this.world.nowMs + limitMs });
  }
}

/** The error that an operation told of, of one session or of all. */
export function errorsOf(watched: Watched<unknown>): ErrorEvent[] {
  return watched.events.filter((event) => event.event === "error");
}

/** Checks that a receiver has all of what is in `/share`, in `/in`. */
export function assertComplete(
  watched: Watched<unknown>,
  source: FakeStorage,
  target: FakeStorage,
): void {
  const last = watched.events.at(-1)!;
  assert.equal(last.event, "done", JSON.stringify(last));
  const files = source.paths("/share").filter((path) => source.get(path)!.kind === "file");
  assert.ok(files.length > 0);
  for (const path of files) {
    assert.deepEqual(target.get(`/in${path}`)?.bytes, source.get(path)!.bytes, path);
  }
}
