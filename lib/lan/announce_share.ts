/** Announces a share on the local networks until it is closed. */
import type { RandomSource } from "../crypto/provider.ts";
import { decodeShareCode } from "../rendezvous/share_code.ts";
import type { Clock } from "../transport/clock.ts";
import { ShareAnnouncer } from "./announcer.ts";
import { MDNS_PORT } from "./limits.ts";
import type { LanNetwork } from "./network.ts";
import { LanStation } from "./station.ts";

/** What {@linkcode announceShare} takes. */
export interface AnnounceShareOptions {
  /** What the person calls the share; all neighbours can read it. */
  readonly name: string;
  /** The share code: so all neighbours can ask to be admitted. */
  readonly code: string;
  readonly network: LanNetwork;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Ends it, as {@linkcode ShareAnnouncement.close} does. */
  readonly signal?: AbortSignal;
  /** Called when it is announced under another name, because somebody else has it. */
  readonly onName?: (name: string) => void;
}

/** An announcement that goes on. */
export interface ShareAnnouncement extends AsyncDisposable {
  /** What it is announced as: the name as far as it fits, with a number where somebody has it. */
  readonly name: string;
  /** Announces another code of the share in place of the one before. */
  update(code: string): void;
  /** Takes it back; resolves when that is sent. */
  close(): Promise<void>;
}

/**
 * Begins to announce a share.
 *
 * @throws {TransferError} `permission_missing`. That there is no network now is no error: it may come.
 */
export async function announceShare(options: AnnounceShareOptions): Promise<ShareAnnouncement> {
  const { name, code, network, clock, random, signal, onName } = options;
  const announcer = new ShareAnnouncer({ name, code, port: portOf(code), random });
  let told = announcer.label;
  const onProgress = () => {
    if (!announcer.isAnnounced || announcer.label === told) return;
    told = announcer.label;
    onName?.(told);
  };
  const station = await LanStation.start({ network, clock, machine: announcer, onProgress });
  const close = async (): Promise<void> => {
    announcer.close();
    signal?.removeEventListener("abort", close);
    await station.close();
  };
  signal?.addEventListener("abort", close);
  if (signal?.aborted) await close();
  return {
    get name() {
      return announcer.label;
    },
    update(next) {
      announcer.update(clock.now(), next);
      station.wake();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The port that tools show: of this machine, where the code says one. */
function portOf(code: string): number {
  const decoded = decodeShareCode(code, { allowLoopback: true });
  const candidates = decoded.ok ? decoded.code.candidates : [];
  const own = candidates.find(({ kind }) => kind === "host") ?? candidates[0];
  return own?.address.port ?? MDNS_PORT;
}
