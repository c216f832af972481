/** What a station drives: an announcer or a browser. Neither knows of sockets, clocks or bytes. */
import type { IpAddress } from "../nat/address.ts";
import type { Instant } from "../time.ts";
import type { DnsMessage } from "./dns_message.ts";
import type { LanLink } from "./link.ts";

/** A message on its way out. */
export interface LanTransmit {
  /** Through which link; undefined for all. */
  readonly linkKey: string | undefined;
  readonly message: DnsMessage;
}

/** Where a message came from. */
export interface LanArrival {
  /** The link it came through; of IPv6 perhaps another one of the same machine. */
  readonly linkKey: string;
  readonly from: IpAddress;
}

/**
 * After any call that changes the machine its owner drains `pollTransmit`, then arms one timer for
 * `pollTimeout`.
 */
export interface LanMachine {
  /** The links that there are now; called first of all. */
  handleLinks(now: Instant, links: readonly LanLink[]): void;
  /** A message arrived. Never throws, whatever it says. */
  handleMessage(now: Instant, message: DnsMessage, arrival: LanArrival): void;
  /** Time has passed; calling early does nothing. */
  handleTimeout(now: Instant): void;
  /** Takes the next message to send. */
  pollTransmit(): LanTransmit | undefined;
  /** When `handleTimeout` is to be called. */
  pollTimeout(): Instant;
}
