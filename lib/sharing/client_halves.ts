/**
 * What goes over the session of a client, both ways: the exchange, the half that is given and the half
 * that is taken, and what is told of them.
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import type { DoneEvent, TransferEvent } from "../events.ts";
import type { ClientReport, ShareOptions } from "../options.ts";
import type { EndpointEvent } from "../protocol/endpoint.ts";
import { GivingHalf } from "../session/giving_half.ts";
import type { SessionIdentity } from "../session/session_identity.ts";
import type { PreparedSource } from "../session/share_source.ts";
import { decisionByOptions, TakingHalf } from "../session/taking_half.ts";
import { TakingRun } from "../session/taking_run.ts";
import type { Storage } from "../storage/storage.ts";
import type { ExchangeEnd, HalfEnd } from "../transfer/exchange.ts";
import type { NameClaims } from "../transfer/own_names.ts";
import type { ListRoom } from "../transfer/receiving/list_room.ts";
import type { SharedReading } from "../transfer/sending/shared_reading.ts";
import { SharerExchange, type SharerExchangeOptions } from "../transfer/sharer_exchange.ts";
import type { Clock } from "../transport/clock.ts";
import { systemRandom } from "../transport/random.ts";
import { HalfEnds } from "./half_ends.ts";

/** What all clients of a share have in common that offer something to it. */
export interface ShareTaking {
  readonly storage: Storage;
  readonly listRoom: ListRoom;
  readonly claims: NameClaims;
  /** See {@linkcode TakingOptions.bufferBytes}. */
  readonly bufferBytes: number;
}

/** What the halves of one session work with. */
export interface ClientHalvesParts {
  /** Number of the session. */
  readonly number: number;
  readonly accepted: EndpointEvent & { readonly type: "accepted" };
  readonly options: ShareOptions;
  readonly clock: Clock;
  /** What is shared. */
  readonly source: PreparedSource;
  /** Where it is read, for all clients. */
  readonly reading: SharedReading;
  /** Where what the client offers goes; undefined when nothing is taken. */
  readonly taking: ShareTaking | undefined;
  readonly provider: CryptoProvider;
  /** Who the client is, as far as it shows it. */
  readonly identity: SessionIdentity;
}

/** How the halves work together with the rest of the session. */
export interface ClientHalvesOwner
  extends Required<Pick<SharerExchangeOptions, "admit" | "pendingReason">> {
  /** What came of taking what the client offered in sessions before. */
  readonly takingRun: TakingRun | undefined;
  /** The client, for whoever decides about what it offers. */
  readonly report: () => ClientReport;
  /** The client was let in, and is told what there is. */
  readonly onLetIn: () => void;
  readonly tell: (event: TransferEvent) => void;
}

/** Both ways of one session. */
export class ClientHalves {
  /** What travels. */
  readonly exchange: SharerExchange;
  /** Whether the share is of nothing. */
  readonly givesNothing: boolean;
  readonly #giving: GivingHalf;
  readonly #taking: TakingHalf;
  readonly #takingRun: TakingRun;
  readonly #ends: HalfEnds;

  /**
   * @param parts What they work with.
   * @param owner The session.
   */
  constructor(parts: ClientHalvesParts, owner: ClientHalvesOwner) {
    const { accepted, options: { verify, take, random }, source, provider } = parts;
    this.givesNothing = source.manifest.entries.length === 0;
    this.#takingRun = owner.takingRun ?? new TakingRun();
    const half = {
      session: parts.number,
      clock: parts.clock,
      connection: accepted.connection,
      emit: owner.tell,
    };
    this.#giving = new GivingHalf({
      ...half,
      isBack: false,
      sender: () => this.exchange.forth,
      onOffer: owner.onLetIn,
    });
    this.#taking = new TakingHalf({
      ...half,
      isBack: true,
      run: this.#takingRun,
      receiver: () => this.exchange.back!,
      decide: (offer) =>
        take?.decide?.(offer, owner.report()) ?? Promise.resolve(decisionByOptions(take ?? {})),
    });
    this.#ends = new HalfEnds({
      session: parts.number,
      givesNothing: this.givesNothing,
      doneEvent: (half, summary) => this.#half(half).doneEvent(summary),
      tell: owner.tell,
    });
    this.exchange = new SharerExchange({
      channel: accepted.connection,
      storage: source.storage,
      reading: parts.reading,
      crypto: provider,
      identity: parts.identity.exchange,
      manifest: source.manifest,
      clientHello: accepted.request,
      ...(verify
        ? {
          verification: {
            handshakeHash: accepted.handshakeHash,
            random: random ?? systemRandom,
          },
        }
        : {}),
      admit: owner.admit,
      pendingReason: owner.pendingReason,
      ...this.#giving.options,
      take: take && {
        ...parts.taking!,
        directory: take.directory,
        symlinks: take.symlinks,
        ...this.#taking.options,
      },
      onHalfEnd: (half, end) => this.#handleHalfEnd(half, end),
    });
  }

  /** How far both are together. */
  get progress(): Pick<ClientReport, "bytesDone" | "bytesTotal" | "rateBytesPerSecond"> {
    const { forth: { progress }, back } = this.exchange;
    const taken = back === undefined ? undefined : this.#takingRun.account.last;
    return {
      bytesDone: progress.bytesDone + (taken?.bytesDone ?? 0),
      bytesTotal: progress.bytesTotal + (taken?.bytesTotal ?? 0),
      rateBytesPerSecond: this.#giving.rateBytesPerSecond + this.#taking.rateBytesPerSecond,
    };
  }

  /** Whether anything was asked for. */
  get areMoving(): boolean {
    return this.#giving.wasAsked || this.#taking.hasBegun;
  }

  /** What the session that goes on with this one has to know of what was taken [AGAIN-4]. */
  get takingRun(): TakingRun {
    this.#takingRun.agreement.noteLost(this.exchange.back?.offerDigest);
    return this.#takingRun;
  }

  /** The events of those that ended well. */
  get dones(): readonly DoneEvent[] {
    return this.#ends.dones;
  }

  /** Tells what was not told yet of their end; see {@linkcode HalfEnds.handleEnd}. */
  handleEnd(end: ExchangeEnd, isLost: boolean): TransferEvent {
    return this.#ends.handleEnd(end, isLost);
  }

  /** Tells how far they came, and nothing more. */
  stop(): void {
    this.#giving.stop();
    this.#taking.stop();
  }

  #half(half: "forth" | "back"): GivingHalf | TakingHalf {
    return half === "forth" ? this.#giving : this.#taking;
  }

  #handleHalfEnd(half: "forth" | "back", end: HalfEnd): void {
    this.#half(half).stop();
    // The end of the last is the end of the session.
    if (this.exchange.goesOn) this.#ends.handleHalfEnd(half, end);
  }
}
