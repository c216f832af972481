/** Looks for shares that are announced on the local networks. */
import type { RandomSource } from "../crypto/provider.ts";
import type { Clock } from "../transport/clock.ts";
import { type LanShareEvent, ShareBrowser } from "./browser.ts";
import type { LanNetwork } from "./network.ts";
import { LanStation } from "./station.ts";

/** What {@linkcode browseShares} takes. */
export interface BrowseSharesOptions {
  readonly network: LanNetwork;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Ends it without an error. */
  readonly signal?: AbortSignal;
}

/**
 * Tells which shares come, change and go, until its reader stops or its signal is aborted. What a
 * share calls itself proves nothing, and is to be escaped before it is shown.
 *
 * @throws {TransferError} `permission_missing`, when the first event is asked for.
 */
export async function* browseShares(
  options: BrowseSharesOptions,
): AsyncGenerator<LanShareEvent, void, void> {
  const { network, clock, random, signal } = options;
  const browser = new ShareBrowser({ random });
  let news = Promise.withResolvers<void>();
  const onProgress = () => news.resolve();
  const station = await LanStation.start({ network, clock, machine: browser, onProgress });
  signal?.addEventListener("abort", onProgress);
  try {
    while (!signal?.aborted) {
      const event = browser.pollEvent();
      if (event !== undefined) {
        yield event;
        continue;
      }
      await news.promise;
      news = Promise.withResolvers();
    }
  } finally {
    signal?.removeEventListener("abort", onProgress);
    await station.close();
  }
}
