/** The progress of one half of a session, as it is told: what limits it, and by which way it goes. */
import type { TransferEvent } from "../events.ts";
import { LimitWatch } from "../operation/limit_watch.ts";
import { routeTo } from "../operation/path_report.ts";
import { ProgressTicker } from "../operation/progress_ticker.ts";
import type { Connection } from "../protocol/connection.ts";
import type { TransferProgress } from "../transfer/transfer_notice.ts";
import type { Clock } from "../transport/clock.ts";

/** What the progress of a half is told with. */
export interface HalfProgressParts {
  readonly clock: Clock;
  readonly connection: Connection;
  /** The session and the direction. */
  readonly where: { readonly session: number; readonly back?: true };
  /** The counters of the half. */
  readonly poll: () => TransferProgress;
  /** Where this side gives: whether more was asked for than was sent. */
  readonly isAsked?: () => boolean;
  readonly emit: (event: TransferEvent) => void;
}

/** Tells the progress of a half from now on, until it is stopped. */
export function startProgress(parts: HalfProgressParts): ProgressTicker {
  const { clock, connection, where, poll, isAsked, emit } = parts;
  const limits = new LimitWatch({ clock, connection, ...(isAsked ? { isAsked } : {}) });
  return new ProgressTicker(clock, poll, (progress) =>
    emit({
      ...progress,
      ...limits.poll(),
      ...where,
      route: routeTo(connection.path.remote),
    }));
}
