/**
 * What a running share and a running receive have in common: their events as one iteration, their
 * endpoint, and one clean end whatever caused it.
 */
import type { TransferError } from "../errors.ts";
import { EventQueue, type ReplacementRules } from "./event_queue.ts";
import type { DoneEvent, TransferEvent } from "../events.ts";
import type { CommonOptions } from "../options.ts";
import { MIN_RATE_LIMIT_BYTES } from "../protocol/params.ts";
import type { TransferSummary } from "../transfer/transfer_notice.ts";
import { extraSocketOpener, ExtraSockets } from "../transport/extra_sockets.ts";
import { type LiveEndpoint, openSockets } from "../transport/live_endpoint.ts";
import type { DatagramSocket } from "../transport/socket.ts";

/** How long either side waits for the other, by default. */
export const DEFAULT_TIMEOUT_MS = 600_000;

/** Progress that nobody has read yet is replaced by newer progress of the same session. */
const REPLACEMENT: ReplacementRules<TransferEvent> = {
  subjectOf: (event) => {
    if (!("session" in event) || event.session === undefined) return undefined;
    return 2 * event.session + ("back" in event && event.back ? 1 : 0);
  },
  isReplaceable: (earlier, later) => earlier.event === "progress" && later.event === "progress",
};

/** The error event of an error. */
export function errorEvent(
  error: TransferError,
  where: { readonly session?: number; readonly back?: true; readonly fatal: boolean },
): TransferEvent {
  const { code, exit, message, hint } = error;
  return { event: "error", ...where, code, exit, message, hint };
}

/** The done event of a half of a session that took so long. */
export function doneEvent(
  where: { readonly session: number; readonly back?: true },
  summary: TransferSummary,
  elapsedMs: number,
): DoneEvent {
  const movedBytes = summary.bytes - (summary.keptBytes ?? 0);
  return {
    event: "done",
    ...where,
    ...summary,
    elapsedMs: Math.round(elapsedMs),
    rateBytesPerSecond: Math.round(movedBytes / Math.max(elapsedMs, 1) * 1000),
  };
}

/** The sockets that were handed in, or the system's. */
export async function socketsFor(options: CommonOptions): Promise<readonly DatagramSocket[]> {
  return options.sockets ?? await openSockets({
    ...options.bind,
    allowSlowSocket: options.allowSlowSocket ?? false,
  });
}

/** Where sockets beside the main ones come from; nowhere when the main ones were handed in. */
export function extraSocketsFor(
  live: LiveEndpoint,
  options: CommonOptions,
): ExtraSockets | undefined {
  if (options.sockets) return undefined;
  return new ExtraSockets(live, extraSocketOpener({ ...options.bind, ...options }));
}

/**
 * Checks a limit of the rate.
 *
 * @throws {TypeError} If there is one that cannot be kept.
 */
export function checkLimit(bytesPerSecond: number | undefined): void {
  if (bytesPerSecond === undefined) return;
  const isPossible = bytesPerSecond >= MIN_RATE_LIMIT_BYTES &&
    bytesPerSecond <= Number.MAX_SAFE_INTEGER;
  if (isPossible) return;
  throw new TypeError(
    `Cannot limit to ${bytesPerSecond} bytes per second: at least ${MIN_RATE_LIMIT_BYTES}`,
  );
}

/** The last event of an operation, or what makes it. */
type LastEvent = TransferEvent | (() => TransferEvent | undefined);

/** An operation under way. */
export abstract class Operation implements AsyncIterable<TransferEvent>, AsyncDisposable {
  /** Where events go. */
  protected readonly events: EventQueue<TransferEvent> = new EventQueue(REPLACEMENT);
  #end: Promise<void> | undefined;
  #stopListening: () => void = () => {};

  /** Ends the operation with `interrupted` when the signal is aborted. */
  protected watch(signal: AbortSignal | undefined, interrupt: () => void): void {
    if (!signal) return;
    signal.addEventListener("abort", interrupt, { once: true });
    this.#stopListening = () => signal.removeEventListener("abort", interrupt);
    if (signal.aborted) interrupt();
  }

  /** The endpoint, once it is open. */
  protected abstract readonly live: LiveEndpoint | undefined;

  /** The sockets beside the endpoint's main ones, if there can be any. */
  protected abstract readonly extras: ExtraSockets | undefined;

  /** Ends sessions and timers, and waits until their files are closed; called once. */
  protected abstract stop(): Promise<void>;

  /**
   * Ends everything once: sessions, then what there is left to send, then sockets, then events.
   *
   * @param last The last event, if there is one to tell; or what makes it once all others were told.
   */
  protected finish(last?: LastEvent): Promise<void> {
    return this.#end ??= this.#finish(last);
  }

  /** Whether {@linkcode finish} was called. */
  protected get isOver(): boolean {
    return this.#end !== undefined;
  }

  async #finish(last: LastEvent | undefined): Promise<void> {
    this.#stopListening();
    await this.stop();
    await this.live?.idle();
    this.live?.close();
    this.extras?.closeAll();
    const event = typeof last === "function" ? last() : last;
    if (event) this.events.push(event);
    this.events.end();
  }

  /** The events, in order; iterate once. */
  [Symbol.asyncIterator](): AsyncIterator<TransferEvent> {
    return this.events;
  }

  /** Ends the operation and frees what it holds. */
  close(): Promise<void> {
    return this.finish();
  }

  /** The same as {@linkcode Operation.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
