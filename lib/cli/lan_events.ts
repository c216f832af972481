/** What `--json` tells of the local network beside the events of the library. */

/** A share is announced. */
export interface AnnouncedEvent {
  /** Which event this is. */
  readonly event: "announced";
  /** Under which name: another than was asked for when somebody has that. */
  readonly name: string;
}

/** What was found by `--lan=NAME`, before one of it is taken. */
export interface SharesEvent {
  /** Which event this is. */
  readonly event: "shares";
  /** Each with its name, which proves nothing, its code and the addresses it was heard from. */
  readonly shares: readonly {
    readonly name: string;
    readonly code: string;
    readonly addresses: readonly string[];
  }[];
}

/** Every one of them. */
export type LanEvent = AnnouncedEvent | SharesEvent;
