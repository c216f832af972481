/**
 * A client that costs next to nothing: it opens and acknowledges packets as any does, asks for the
 * largest file of a share again and again, counts what comes and throws it away. Nothing is verified
 * or stored, so that on one machine a sharer can be kept busy by one process with many of them.
 */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { CryptoProvider } from "../../lib/crypto/provider.ts";
import type { ChannelHandler } from "../../lib/protocol/channel.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import { decodeShareCode } from "../../lib/rendezvous/share_code.ts";
import { MessageOutbox, MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { type Message, TRANSFER_VERSION } from "../../lib/transfer/messages.ts";
import { selectSystemProvider } from "../../lib/operation/system_provider.ts";
import { systemClock } from "../../lib/transport/clock.ts";
import { LiveEndpoint, openSockets } from "../../lib/transport/live_endpoint.ts";
import { systemRandom } from "../../lib/transport/random.ts";

/** Requests for the file that are open at a time: the next one follows without a pause. */
const OPEN_REQUESTS = 2;

/** One client under way. */
export class LightClient implements ChannelHandler {
  /** File bytes that arrived. */
  receivedBytes = 0;
  /** Resolves when the first of them did. */
  readonly first: Promise<void>;
  readonly #takesNothing: boolean;
  readonly #outbox = new MessageOutbox();
  readonly #reader = new MessageReader((type, body) => this.#handleBody(type, body));
  #resolveFirst!: () => void;
  #connection!: Connection;
  #entry = 0;
  #nextRequest = 0;
  /** What was counted and not yet given back as credit. */
  #untakenBytes = 0;

  private constructor(takesNothing: boolean) {
    this.#takesNothing = takesNothing;
    this.first = new Promise((resolve) => this.#resolveFirst = resolve);
  }

  /**
   * Connects to a share of this machine, on a socket of its own.
   *
   * @param takesNothing Gives no credit back, as a client whose disk stands still.
   */
  static async connect(code: string, takesNothing: boolean): Promise<LightClient> {
    const decoded = decodeShareCode(code, { allowLoopback: true });
    if (!decoded.ok) throw new Error(`${code} is no code: ${decoded.problem.reason}`);
    const { t, candidates } = decoded.code;
    const client = new LightClient(takesNothing);
    const provider: CryptoProvider = await selectSystemProvider();
    const live = new LiveEndpoint(
      {
        sockets: await openSockets({ host: "127.0.0.1" }),
        provider,
        random: systemRandom,
        clock: systemClock,
      },
      (event) => {
        if (event.type === "connected") client.#begin(event.connection);
        if (event.type === "closed") throw new Error(`A client was closed: ${event.end.reason}`);
      },
    );
    live.endpoint.connect(systemClock.now(), {
      t,
      staticKeys: nodeProvider.generateKeyPair(systemRandom),
      paths: live.pathsTo(candidates.map(({ address }) => address)),
      request: encodeHello({ version: TRANSFER_VERSION, features: 0, text: "" }),
    });
    live.wake();
    return client;
  }

  /** See {@linkcode ChannelHandler.handleControl}. */
  handleControl(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** See {@linkcode ChannelHandler.handleBlock}. */
  handleBlock(_request: number, _offset: number, { length }: Uint8Array): number {
    if (this.receivedBytes === 0) this.#resolveFirst();
    this.receivedBytes += length;
    if (this.#takesNothing) return length;
    this.#untakenBytes += length;
    // As a client that writes groups: credit comes in pieces, not with each datagram.
    if (this.#untakenBytes >= 256 * 1024) {
      const bytes = this.#untakenBytes;
      this.#untakenBytes = 0;
      queueMicrotask(() => this.#connection.consumeBlockBytes(bytes));
    }
    return length;
  }

  /** See {@linkcode ChannelHandler.handleBlockReleased}. */
  handleBlockReleased(): void {}

  /** See {@linkcode ChannelHandler.handleWritable}. */
  handleWritable(): void {}

  #begin(connection: Connection): void {
    this.#connection = connection;
    connection.setHandler(this);
    this.#say({ type: "list", first: 0 });
  }

  #handleBody(type: number, body: Uint8Array): void {
    const message = decodeMessage(type, body);
    if (typeof message !== "object") return;
    if (message.type === "entries") {
      const largest = message.entries.reduce((a, b) => a.sizeBytes >= b.sizeBytes ? a : b);
      this.#entry = message.first + message.entries.indexOf(largest);
      for (let count = 0; count < OPEN_REQUESTS; count++) this.#ask();
    } else if (message.type === "root") {
      this.#ask();
    }
  }

  #ask(): void {
    const items = [{ entry: this.#entry, ranges: [] }];
    this.#say({ type: "get", firstRequest: this.#nextRequest++, items });
  }

  #say(message: Message): void {
    this.#outbox.add(message);
    this.#connection.sendControl(this.#outbox.take());
  }
}
