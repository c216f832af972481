/**
 * What the pump and the endpoint add to a datagram: two of each, joined without a network, against
 * two connections that are called directly. Nothing is encrypted.
 *
 * ```sh
 * deno bench bench/micro/pump_bench.ts
 * ```
 * An iteration sends {@linkcode DATAGRAMS} datagrams, so microseconds an iteration are nanoseconds a
 * datagram.
 */
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import { Endpoint } from "../../lib/protocol/endpoint.ts";
import { systemClock } from "../../lib/transport/clock.ts";
import { Pump } from "../../lib/transport/pump.ts";
import { systemRandom } from "../../lib/transport/random.ts";
import type { DatagramHandler, DatagramSocket } from "../../lib/transport/socket.ts";
import { DirectPair } from "../../tests/support/direct_pair.ts";
import { plainProvider } from "../../tests/support/plain_provider.ts";

const DATAGRAMS = 1000;
const BLOCK_BYTES = 1024 * 1024;
const SHARER: SocketAddress = { family: 4, host: "192.0.2.1", port: 1 };
const CLIENT: SocketAddress = { family: 4, host: "192.0.2.2", port: 2 };
const SENT = Promise.resolve(true);

/** A socket whose datagrams are at the other one before `send` returns. */
class JoinedSocket implements DatagramSocket {
  readonly family = 4;
  readonly localAddress: SocketAddress;
  other!: JoinedSocket;
  sentDatagrams = 0;
  readonly #buffer = new Uint8Array(2048);
  readonly #closed = Promise.withResolvers<void>();
  #handler: DatagramHandler = () => {};

  constructor(localAddress: SocketAddress) {
    this.localAddress = localAddress;
  }

  receive(handler: DatagramHandler): Promise<void> {
    this.#handler = handler;
    return this.#closed.promise;
  }

  send(datagram: Uint8Array): Promise<boolean> {
    this.sentDatagrams++;
    this.other.#take(datagram, this.localAddress);
    return SENT;
  }

  close(): void {
    this.#closed.resolve();
  }

  #take(datagram: Uint8Array, from: SocketAddress): void {
    this.#buffer.set(datagram);
    this.#handler(this.#buffer.subarray(0, datagram.length), from);
  }
}

/** A session over two pumps; one side sends blocks without end. */
class PumpedPair {
  readonly #sharerSocket = new JoinedSocket(SHARER);
  #sharer: Connection | undefined;
  #reached = Promise.withResolvers<void>();
  #goal = Number.POSITIVE_INFINITY;

  /** Resolves when that many more datagrams have left the sharer. */
  async run(datagrams: number): Promise<void> {
    this.#goal = this.#sharerSocket.sentDatagrams + datagrams;
    this.#reached = Promise.withResolvers();
    this.#refill();
    await this.#reached.promise;
  }

  constructor() {
    const clientSocket = new JoinedSocket(CLIENT);
    clientSocket.other = this.#sharerSocket;
    this.#sharerSocket.other = clientSocket;
    const staticKeys = plainProvider.generateKeyPair(systemRandom);
    const t = shareCommitment(plainProvider, staticKeys.publicKey);
    const wakes: (() => void)[] = [];
    const [sharer, client] = [0, 1].map((index) =>
      new Endpoint({
        provider: plainProvider,
        random: systemRandom,
        wake: () => wakes[index]?.(),
      })
    ) as [Endpoint, Endpoint];
    sharer.listen({ t, staticKeys });
    client.connect(systemClock.now(), {
      t,
      staticKeys: plainProvider.generateKeyPair(systemRandom),
      paths: [{ socket: 0, remote: SHARER }],
      request: new Uint8Array(1),
    });
    const sharerPump = new Pump(sharer, [this.#sharerSocket], systemClock, (event) => {
      if (event.type !== "accepted") return;
      this.#sharer = event.connection;
      this.#sharer.setHandler({
        handleControl: () => {},
        handleBlock: () => -1,
        handleBlockReleased: () => this.#refill(),
        handleWritable: () => {},
      });
      this.#refill();
    });
    wakes[0] = () => sharerPump.wake();
    const clientPump = new Pump(client, [clientSocket], systemClock, (event) => {
      if (event.type !== "connected") return;
      const { connection } = event;
      connection.setHandler({
        handleControl: () => {},
        handleBlock: (_request, _offset, bytes) => {
          connection.consumeBlockBytes(bytes.length);
          if (this.#sharerSocket.sentDatagrams >= this.#goal) this.#reached.resolve();
          return bytes.length;
        },
        handleBlockReleased: () => {},
        handleWritable: () => {},
      });
    });
    wakes[1] = () => clientPump.wake();
  }

  /** Keeps blocks queued until the goal is reached; then both sides come to rest. */
  #refill(): void {
    const connection = this.#sharer;
    if (!connection || this.#sharerSocket.sentDatagrams >= this.#goal) return;
    while (connection.blockQueuedBytes < 4 * BLOCK_BYTES) {
      connection.sendBlock({ request: 1, offset: 0, bytes: blockBytes });
    }
  }
}

const blockBytes = new Uint8Array(BLOCK_BYTES);
const direct = new DirectPair(plainProvider);
const pumped = new PumpedPair();

Deno.bench("called directly", { group: "pump", baseline: true }, () => direct.run(DATAGRAMS));

Deno.bench("through endpoint and pump", { group: "pump" }, async () => {
  await pumped.run(DATAGRAMS);
});
