/**
 * Shares on the local networks of this machine, by multicast DNS (docs/lan.md): announced, and found
 * by others there. Where the system's networks, clock and randomness are chosen for `lib/lan`.
 */
import { TransferError } from "./errors.ts";
import { announceShare, type ShareAnnouncement } from "./lan/announce_share.ts";
import { browseShares } from "./lan/browse_shares.ts";
import type { LanShare, LanShareEvent } from "./lan/browser.ts";
import { nodeLanNetwork } from "./lan/node_lan_network.ts";
import { systemClock } from "./transport/clock.ts";
import { systemRandom } from "./transport/random.ts";

export type { LanShare, LanShareEvent, ShareAnnouncement };

/** What {@linkcode announceOnLan} takes. */
export interface LanAnnouncementOptions {
  /** What the person calls the share; all neighbours can read it. */
  readonly name: string;
  /** The share code: so all neighbours can ask to be let in. */
  readonly code: string;
  /** Called when it is announced under another name, because somebody else has this one. */
  readonly onName?: (name: string) => void;
  /** Ends it, as `close` does. */
  readonly signal?: AbortSignal;
}

const WORLD = { network: nodeLanNetwork, clock: systemClock, random: systemRandom };

/** Why local networks cannot be used here, a missing permission; undefined when they can. */
export function lanProblem(): TransferError | undefined {
  try {
    nodeLanNetwork.requirePermissions();
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}

/**
 * Begins to announce a share on all local networks of this machine, those it comes to later too. Give
 * each `code` event to `update`, and close it with the share.
 *
 * @throws {TransferError} `permission_missing`. That there is no network now is no error: it may come.
 */
export function announceOnLan(options: LanAnnouncementOptions): Promise<ShareAnnouncement> {
  return announceShare({ ...options, ...WORLD });
}

/**
 * Tells which shares come, change and go, until its reader stops or its signal is aborted. What a
 * share calls itself proves nothing, and is to be escaped before it is shown.
 *
 * @throws {TransferError} `permission_missing`, when the first event is asked for.
 */
export function sharesOnLan(
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<LanShareEvent, void, void> {
  return browseShares({ ...options, ...WORLD });
}
