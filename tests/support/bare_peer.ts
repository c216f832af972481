/**
 * Peers made of the library's pieces, on loopback and in the process of the tests: they do what the
 * program itself never would, and the program in its own process has to cope.
 */
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import type { ConnectionEnd } from "../../lib/protocol/connection_options.ts";
import type { EndpointEvent } from "../../lib/protocol/endpoint.ts";
import { systemClock } from "../../lib/transport/clock.ts";
import { LiveEndpoint, openSockets } from "../../lib/transport/live_endpoint.ts";
import { systemRandom } from "../../lib/transport/random.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import type { Manifest } from "../../lib/transfer/offer/manifest.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import { codeFor, readCode } from "./share_codes.ts";
import { within } from "./within.ts";

const LOOPBACK = "127.0.0.1";

/** What a sharer does with a client; the connection is its own. */
export type Serve = (
  connection: Connection,
  event: EndpointEvent & { readonly type: "accepted" },
) => void;

/** A sharer that serves as it is told. */
export class BareSharer implements AsyncDisposable {
  readonly #live: LiveEndpoint;
  readonly #ended: Promise<ConnectionEnd>;
  /** The commitment to its own key. */
  readonly t: Uint8Array;

  private constructor(live: LiveEndpoint, ended: Promise<ConnectionEnd>, t: Uint8Array) {
    this.#live = live;
    this.#ended = ended;
    this.t = t;
  }

  /**
   * Opens one.
   *
   * @param options `t` is that of its own key unless somebody else's is given.
   */
  static async open(serve: Serve, options: { readonly t?: Uint8Array } = {}): Promise<BareSharer> {
    const { promise: ended, resolve } = Promise.withResolvers<ConnectionEnd>();
    const live = new LiveEndpoint(world(await openSockets({ host: LOOPBACK })), (event) => {
      if (event.type === "accepted") serve(event.connection, event);
      if (event.type === "closed") resolve(event.end);
    });
    const staticKeys = nodeProvider.generateKeyPair(systemRandom);
    const t = shareCommitment(nodeProvider, staticKeys.publicKey);
    live.endpoint.listen({ t: options.t ?? t, staticKeys });
    return new BareSharer(live, ended, t);
  }

  /** Offers `manifest` whatever is in it, and sends what is asked for. */
  static async offering(manifest: Manifest): Promise<BareSharer> {
    const storage = new DenoStorage();
    return await BareSharer.open((connection, { request }) => {
      const sender = new SharerExchange({
        channel: connection,
        storage,
        crypto: nodeProvider,
        manifest,
        clientHello: request,
        onEvent: () => {},
      });
      connection.setHandler(sender);
      sender.start();
    });
  }

  /** Where it listens. */
  get address(): SocketAddress {
    return this.#live.localAddresses[0]!;
  }

  /** Its share code. */
  get code(): string {
    return codeFor(this.t, this.address);
  }

  /** How its first session ended. */
  get ended(): Promise<ConnectionEnd> {
    return within("the session to end", this.#ended);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#live.close();
    return Promise.resolve();
  }
}

/**
 * A client that says `request` in message 3 of the handshake and nothing else.
 *
 * @param onConnected Says more, once there is a session.
 * @returns How the sharer ended it.
 */
export async function connectBareClient(
  code: string,
  request: Uint8Array,
  onConnected: (connection: Connection) => void = () => {},
): Promise<ConnectionEnd> {
  const { t, candidates } = readCode(code);
  const ended = Promise.withResolvers<ConnectionEnd>();
  const live = new LiveEndpoint(world(await openSockets({ host: LOOPBACK })), (event) => {
    if (event.type === "connected") onConnected(event.connection);
    if (event.type === "closed") ended.resolve(event.end);
  });
  try {
    live.endpoint.connect(systemClock.now(), {
      t,
      staticKeys: nodeProvider.generateKeyPair(systemRandom),
      paths: live.pathsTo(candidates.map(({ address }) => address)),
      request,
    });
    live.wake();
    return await within("the sharer to end the session", ended.promise);
  } finally {
    live.close();
  }
}

function world(sockets: Awaited<ReturnType<typeof openSockets>>) {
  return { sockets, provider: nodeProvider, random: systemRandom, clock: systemClock };
}
