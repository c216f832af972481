/** Receiving files: from a code to verified files in their place. */
import { asTransferError, connectionError } from "./connection_error.ts";
import type { CryptoProvider, KeyPair } from "./crypto/provider.ts";
import { selectProvider } from "./crypto/select_provider.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { OfferEvent, TransferEvent } from "./events.ts";
import { formatSocketAddress } from "./nat/address.ts";
import {
  DEFAULT_TIMEOUT_MS,
  DIRECT_ROUTE,
  doneEvent,
  errorEvent,
  Operation,
  socketsFor,
} from "./operation.ts";
import type { OfferDecision, ReceiveOptions } from "./options.ts";
import { ProgressTicker } from "./progress_ticker.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { after, type Instant } from "./time.ts";
import { codeProblemError } from "./rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "./rendezvous/share_code.ts";
import { DenoStorage } from "./transfer/deno_storage.ts";
import { encodeHello, FEATURE_VERIFY, TRANSFER_VERSION } from "./transfer/messages.ts";
import { Receiver } from "./transfer/receiver.ts";
import type { TransferNotice, TransferSummary } from "./transfer/transfer_notice.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";

/** A receive has one session. */
const SESSION = 1;

/** A receive under way: an iteration of its events, once. */
export interface Receive extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** Ends it; part files are removed. */
  close(): Promise<void>;
}

/**
 * Takes what a share offers. It starts at once and works on its own; its events tell how. Failures
 * are the last event (`error`), not exceptions.
 *
 * @param code The share's code, in any case, with spaces and dashes or without.
 * @param options Nothing is required; by default files go to the current folder and nothing that is
 *   there is touched.
 */
export function receive(code: string, options: ReceiveOptions = {}): Receive {
  return new RunningReceive(code, options);
}

class RunningReceive extends Operation implements Receive {
  protected live: LiveEndpoint | undefined;
  readonly #options: ReceiveOptions;
  readonly #clock: Clock;
  #keys: KeyPair | undefined;
  #receiver: Receiver | undefined;
  #ticker: ProgressTicker | undefined;
  #startedAt: Instant;
  #cancelTimeout = (): void => {};

  constructor(code: string, options: ReceiveOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#startedAt = this.#clock.now();
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
    this.#start(code).catch((error) => this.#fail(asTransferError(error)));
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.#ticker?.stop();
    this.live?.endpoint.stopConnecting();
    if (this.#keys) wipe(this.#keys.secretKey);
    this.#receiver?.abort(new TransferError("interrupted", "Closed"));
    await this.#receiver?.finished.catch(() => {}); // part files are gone by then
  }

  async #start(text: string): Promise<void> {
    const allowLoopback = this.#options.allowLoopback ?? false;
    const decoded = decodeShareCode(text, { allowLoopback });
    if (!decoded.ok) throw codeProblemError(decoded.problem);
    const { candidates } = decoded.code;
    const addresses = candidates.map(({ address }) => formatSocketAddress(address));
    this.events.push({ event: "connecting", addresses });
    const provider = selectProvider();
    const sockets = await socketsFor(this.#options);
    const random = this.#options.random ?? systemRandom;
    if (this.isOver) return sockets.forEach((socket) => socket.close());
    this.live = new LiveEndpoint(
      { sockets, provider, random, clock: this.#clock },
      (event) => this.#handleEvent(provider, event),
    );
    this.#connect(provider, decoded.code, addresses);
  }

  #connect(provider: CryptoProvider, code: ShareCode, addresses: readonly string[]): void {
    const live = this.live!;
    const paths = live.pathsTo(code.candidates.map(({ address }) => address));
    if (paths.length === 0) {
      throw new TransferError(
        "peer_unreachable",
        `Cannot reach ${addresses.join(", ")}: this machine has no such kind of network`,
      );
    }
    this.#keys = provider.generateKeyPair(this.#options.random ?? systemRandom);
    live.endpoint.connect(this.#clock.now(), {
      t: code.t,
      staticKeys: this.#keys,
      paths,
      request: encodeHello({
        version: TRANSFER_VERSION,
        features: this.#options.verify ? FEATURE_VERIFY : 0,
        text: "",
      }),
    });
    live.wake();
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const deadline = after(this.#clock.now(), timeoutMs);
    this.#cancelTimeout = this.#clock.setTimer(deadline, () => {
      this.#fail(noAnswer(addresses, timeoutMs, live.endpoint.impostors));
    });
  }

  #handleEvent(provider: CryptoProvider, event: EndpointEvent): void {
    if (event.type === "closed") {
      this.#receiver?.handleClosed(connectionError(event.end));
    } else if (event.type === "connected") {
      if (this.isOver) return event.connection.close(wireOfErrorCode("interrupted"), "closed");
      this.#cancelTimeout();
      this.#receive(provider, event);
    }
  }

  #receive(provider: CryptoProvider, event: EndpointEvent & { type: "connected" }): void {
    const { connection, handshakeHash } = event;
    const options = this.#options;
    this.#startedAt = this.#clock.now();
    this.events.push({
      event: "connected",
      session: SESSION,
      address: formatSocketAddress(connection.path.remote),
      route: DIRECT_ROUTE,
      rttMs: connection.statistics.rttMs,
    });
    const receiver = new Receiver({
      channel: connection,
      storage: options.storage ?? new DenoStorage(),
      crypto: provider,
      directory: options.directory ?? ".",
      decide: (offer) => this.#decide({ ...offer, session: SESSION }),
      ...(options.verify
        ? {
          verification: {
            handshakeHash,
            random: options.random ?? systemRandom,
            confirmWords: (words: readonly string[]) => this.#confirmWords(words),
          },
        }
        : {}),
      onEvent: (notice) => this.#handleNotice(notice),
    });
    this.#receiver = receiver;
    receiver.finished.then(
      (summary) => this.#handleDone(summary),
      (error) => this.#fail(asTransferError(error)),
    );
    connection.setHandler(receiver);
    receiver.start();
  }

  async #decide(offer: OfferEvent): Promise<OfferDecision> {
    const { decide, overwrite, takeDotNames } = this.#options;
    const decision = decide ? await decide(offer) : {
      accept: true,
      overwrite: overwrite ?? "never",
      takeDotNames: takeDotNames ?? false,
    };
    if (decision.accept && !this.isOver) this.#startTicker();
    return decision;
  }

  async #confirmWords(words: readonly string[]): Promise<boolean> {
    this.events.push({ event: "words", session: SESSION, words });
    return await this.#options.confirmWords?.(words) ?? true;
  }

  #startTicker(): void {
    this.#startedAt = this.#clock.now();
    this.#ticker = new ProgressTicker(
      this.#clock,
      () => this.#receiver!.progress,
      (progress) => this.events.push({ ...progress, session: SESSION, route: DIRECT_ROUTE }),
    );
  }

  #handleNotice(notice: TransferNotice): void {
    this.events.push({ ...notice, session: SESSION });
  }

  #handleDone(summary: TransferSummary): void {
    this.#ticker?.stop();
    this.#ticker = undefined;
    void this.finish(doneEvent(SESSION, summary, this.#clock.now() - this.#startedAt));
  }

  #fail(error: TransferError): void {
    this.#receiver?.abort(error);
    void this.finish(errorEvent(error, { fatal: true }));
  }
}

function noAnswer(
  addresses: readonly string[],
  timeoutMs: number,
  impostors: number,
): TransferError {
  const where = addresses.join(", ");
  if (impostors > 0) {
    return new TransferError(
      "authentication_failed",
      `Cannot connect: ${where} answered, but without the key this code stands for`,
    );
  }
  const seconds = Math.round(timeoutMs / 1000);
  return new TransferError("timed_out", `No answer from ${where} within ${seconds} s`, {
    hint: "Check that the other side still runs and that no firewall between you drops UDP",
  });
}
