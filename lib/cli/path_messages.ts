/**
 * Lines about the way between the two machines: codes that answer codes, how a path was made, what
 * this machine's network is like. Pure; plain words first.
 */
import type {
  ConnectedEvent,
  NetworkEvent,
  PathEvent,
  PathLostEvent,
  PathRoute,
  ReconnectingEvent,
  ReplyCodeEvent,
  ReplyEvent,
  WarningEvent,
} from "../events.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import type { ExpectedMethod, PathMethod } from "../nat/path_method.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytesOf, formatMs, formatSeconds } from "./format.ts";

/** How a path was made. */
export const METHOD_WORDS: Readonly<Record<PathMethod, string>> = {
  direct: "direct",
  mapped: "through a port that a router opened",
  punched: "hole punched",
  predicted: "through a port that was foreseen",
  birthday: "found by trying many ports",
};

/** Where a path leads. */
export const ROUTE_WORDS: Readonly<Record<PathRoute, string>> = {
  loopback: "this machine",
  lan: "local network",
  internet: "Internet",
};

/** How datagrams go through this machine's socket. */
export const ACCELERATION_WORDS: Readonly<Record<ConnectedEvent["acceleration"], string>> = {
  turbo: "turbo",
  base: "plain",
};

/** How a NAT chooses outside ports. */
export const MAPPING_WORDS: Readonly<Record<MappingClass, string>> = {
  unknown: "not known",
  none: "no router in between",
  endpoint_independent: "one outside port per program",
  address_dependent: "another outside port for each address",
  port_dependent_stepping: "another outside port for each peer, in steps",
  port_dependent_random: "another outside port for each peer, at random",
};

/** How port mapping protocols are written. */
export const PORT_MAPPING_NAMES = { pcp: "PCP", "nat-pmp": "NAT-PMP", upnp: "UPnP" } as const;

/** Why there is a reply code: nobody answered, or who did lets in only those whose code it has. */
export type ReplyReason = "no_answer" | "private";

/** What to do with a reply code; the code follows. */
export function replyCodeLine(event: ReplyCodeEvent, reason: ReplyReason): string {
  if (event.changed === true) {
    return "This machine's address changed. Send this reply code instead of the last one:";
  }
  return `${
    reason === "private" ? "The share is private." : "No answer yet."
  } Send this reply code to the other side, to be pasted where the share runs:`;
}

const EXPECTED_WORDS: Readonly<Record<ExpectedMethod, string>> = {
  unknown: "not known, the warning says why",
  direct: "direct, at once",
  mapped: "through a port that a router opened, at once",
  punched: "hole punched, about a second",
  predicted: "through a port that is foreseen, some seconds",
  birthday: "found by trying many ports, some seconds",
};

/** How the two are expected to meet once the reply code was pasted, and how long it takes. */
export function expectedLine(expected: ExpectedMethod): string {
  return `Expected: ${EXPECTED_WORDS[expected]}`;
}

/** Sharer: somebody's reply code was taken. */
export function replyLines(event: ReplyEvent): string[] {
  return [
    `Looking for the client behind that code (${escapeText(event.client)}) …`,
    `  ${expectedLine(event.expected)}`,
  ];
}

/** What to say of a path besides how it was made. */
export interface PathLineOptions {
  /** Whether it ends a silence. */
  readonly isBack: boolean;
  /** Whether to name the other side's address. */
  readonly hasAddress: boolean;
}

/** A path that replaces another one. */
export function pathLine(event: PathEvent, options: PathLineOptions): string {
  const parts = [
    METHOD_WORDS[event.method],
    ROUTE_WORDS[event.route],
    ...(event.family === 6 ? ["IPv6"] : []),
    formatMs(event.rttMs),
    ...(options.hasAddress ? [escapeText(event.address)] : []),
  ];
  return `${options.isBack ? "Back" : "Path changed"}: ${parts.join(", ")}`;
}

/**
 * The first path of a session: the line about its connection said already where it leads.
 *
 * @returns Undefined when there is nothing to add.
 */
export function firstPathLine(event: PathEvent): string | undefined {
  return event.method === "direct" ? undefined : `Path: ${METHOD_WORDS[event.method]}`;
}

/** Nothing comes any more. */
export function pathLostLine(event: PathLostEvent): string {
  const silence = formatSeconds(Math.round(event.silentMs / 1000)).replace(/^(\d+)s$/, "$1 s");
  return `Nothing heard for ${silence}: looking for another way …`;
}

/** Receiver: the session is lost; it is tried to go on with another one. */
export function reconnectingLines(event: ReconnectingEvent): string[] {
  const { bytesDone, bytesTotal, timeoutMs } = event;
  const lost = bytesTotal === 0
    ? "Connection lost."
    : `Connection lost at ${formatBytesOf(bytesDone, bytesTotal)}; what is here is kept.`;
  const seconds = Math.round(timeoutMs / 1000);
  const time = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
  return [
    lost,
    `Looking for the other side again, for ${time} at most …`,
    "  If it was started again: Ctrl-C, and take its new code.",
  ];
}

/** All that is known of this machine's network, for `-v`. */
export function networkLine(event: NetworkEvent): string {
  const { mapping, reflexive, mapped, mappedBy, stun } = event;
  const by = mappedBy === undefined ? "" : ` by ${PORT_MAPPING_NAMES[mappedBy]}`;
  return `Network: ${
    [
      `outside ports: ${MAPPING_WORDS[mapping]}`,
      ...(reflexive.length === 0 ? [] : [`seen as ${reflexive.map(escapeText).join(", ")}`]),
      ...(mapped === undefined ? [] : [`port opened${by}: ${escapeText(mapped)}`]),
      `STUN: ${stun}`,
    ].join("; ")
  }`;
}

/** What people should know of this machine's network before they wonder. */
export function networkWarnings(event: NetworkEvent): WarningEvent[] {
  const warning = (code: string, message: string): WarningEvent => ({
    event: "warning",
    code,
    message,
  });
  const isHardMapping = event.mapping === "port_dependent_stepping" ||
    event.mapping === "port_dependent_random";
  return [
    ...(isHardMapping
      ? [warning(
        "hard_mapping",
        "This machine's router is hard to get through: it takes another port for each peer",
      )]
      : []),
    ...(event.stun === "silent"
      ? [warning(
        "stun_silent",
        "No STUN server answers: how this machine is seen from outside is not known",
      )]
      : []),
  ];
}
