/**
 * Keeps a sharer's side open for a client that it lost: routers let a client in only from where
 * something was sent to lately. The client knows where the sharer was, and tries there again and
 * again; a small datagram every few seconds is all that has to come from here [AGAIN-3].
 */
import type { ProbeCodec } from "../crypto/probe.ts";
import { TRANSACTION_ID_BYTES } from "../crypto/probe.ts";
import type { DatagramMachine } from "../nat/datagram_machine.ts";
import type { Path } from "../nat/path.ts";
import { REFRESH_MS } from "../nat/punch/limits.ts";
import { after, type Instant, NEVER } from "../time.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";

/** What a door needs. */
export interface OpenDoorOptions {
  readonly live: LiveEndpoint;
  /** Seals the probes of the share and this client; wiped at the end. */
  readonly codec: ProbeCodec;
  /** Where the client was; the socket is not given back before the end. */
  readonly path: Path;
  /** When nobody will come any more. */
  readonly endsAt: Instant;
}

/** Open until it is closed, or its time is over. */
export class OpenDoor implements DatagramMachine {
  /** Where every probe goes. */
  readonly transmitPath: Path;
  readonly #options: OpenDoorOptions;
  /** Nobody waits for an answer, so one will do. */
  readonly #transactionId = new Uint8Array(TRANSACTION_ID_BYTES);
  #nextAt: Instant;
  #isDue = true;
  #isClosed = false;

  /** Begins at once. */
  constructor(now: Instant, options: OpenDoorOptions) {
    this.#options = options;
    this.transmitPath = options.path;
    this.#nextAt = after(now, REFRESH_MS);
    options.live.attach(this, () => {});
  }

  /** Sends nothing more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#options.live.detach(this);
    this.#options.codec.wipe();
  }

  /** See {@linkcode DatagramMachine.handleDatagram}; the client begins with a handshake. */
  handleDatagram(): boolean {
    return false;
  }

  /** See {@linkcode DatagramMachine.handleTimeout}. */
  handleTimeout(now: Instant): void {
    if (now < this.#nextAt) return;
    this.#isDue = now < this.#options.endsAt;
    this.#nextAt = this.#isDue ? after(now, REFRESH_MS) : NEVER;
  }

  /** See {@linkcode DatagramMachine.pollTimeout}. */
  pollTimeout(): Instant {
    return this.#nextAt;
  }

  /** See {@linkcode DatagramMachine.pollTransmit}. */
  pollTransmit(_now: Instant, out: Uint8Array): number {
    if (!this.#isDue) return 0;
    this.#isDue = false;
    const { codec } = this.#options;
    const datagram = codec.seal({ type: 1, transactionId: this.#transactionId });
    out.set(datagram);
    return datagram.length;
  }
}
