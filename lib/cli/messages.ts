/**
 * The lines that stay on the screen, made from events. Pure. Text from the other side in an
 * event is escaped here, so no caller can forget it.
 */
import { type ErrorCode, type ErrorRow, ERRORS } from "../errors.ts";
import type {
  ClosedEvent,
  ClosingEvent,
  ConnectedEvent,
  DoneEvent,
  FileDoneEvent,
  IdentityEvent,
  OfferEvent,
  ResumedEvent,
  TextEvent,
  WarningEvent,
} from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatLasting,
  formatMs,
  formatRate,
} from "./format.ts";
import { paint, type Style } from "./paint.ts";
import { ACCELERATION_WORDS, ROUTE_WORDS } from "./path_messages.ts";
import { cutEnd, textWidth } from "./text_width.ts";
import type { Role } from "./view.ts";

/** Names of an offer shown before "and N more". */
export const MAX_SHOWN_NAMES = 10;

/**
 * Who is at the other end, now that the channel stands.
 *
 * @param isDetailed Whether to say which way datagrams go through this machine's socket.
 */
export function connectedLine(event: ConnectedEvent, isDetailed = false): string {
  const about = [
    ROUTE_WORDS[event.route],
    formatMs(event.rttMs),
    ...(isDetailed ? [ACCELERATION_WORDS[event.acceleration]] : []),
  ];
  const again = event.resumes === undefined ? "" : " again";
  return `Connected${again} to ${escapeText(event.address)} (${about.join(", ")})`;
}

/** Who the other side has proved to be. */
export function identityLine({ name, fingerprint, recognition }: IdentityEvent): string {
  const who = name === undefined ? fingerprint : `${escapeText(name)} (${fingerprint})`;
  return recognition === "stranger" ? `It is ${who}, who is not known here` : `It is ${who}`;
}

/** What to know of somebody whose key is not what one would think; undefined of all others. */
export function identityWarning(
  { name, recognition }: IdentityEvent,
): { readonly message: string; readonly hint: string } | undefined {
  const who = name === undefined ? "" : escapeText(name);
  if (recognition === "other_key") {
    return {
      message: `This is not the key that is known as ${who}`,
      hint: "A new machine of theirs, or somebody who pretends to be them: ask them",
    };
  }
  if (recognition !== "other_name") return undefined;
  return {
    message: `This is ${who}, and not who was expected`,
    hint: "p2pft peers list shows who is remembered",
  };
}

/** Nobody new is let in from now on. */
export function closingLine({ reason, clients }: ClosingEvent): string {
  const why = reason === "expired" ? "Its time is up: nobody" : "Nobody";
  const until = clients === 0
    ? "when who was lost is done, or does not come again"
    : `when ${
      clients === 1 ? "the client that is in is" : `the ${clients} clients that are in are`
    } done`;
  return `${why} new is let in. Ends ${until}.`;
}

const CLOSED_WORDS: Readonly<Record<ClosedEvent["reason"], string>> = {
  served: "Over",
  closed: "Closed",
  expired: "Expired",
  interrupted: "Interrupted",
  failed: "Ended",
};

/**
 * How a share for many went.
 *
 * @param takes Whether it took rather than gave.
 */
export function closedLine(
  { reason, clients, bytes, elapsedMs }: ClosedEvent,
  takes: boolean,
): string {
  const did = takes ? "gave" : "took";
  const what = clients === 0 && bytes === 0
    ? `nobody ${did} anything`
    : `${formatCount(clients, "client")} ${did} ${formatBytes(bytes)}`;
  return `${CLOSED_WORDS[reason]} after ${formatLasting(elapsedMs)}: ${what}`;
}

/** One line on a client that is done, of many. */
export function clientDoneLine(event: DoneEvent, role: Role): string {
  const { leftOut, exit } = event;
  const moved = movedLine(event, role);
  return exit === 0 && leftOut === 0
    ? moved
    : `${moved}, but for ${formatCount(leftOut, "item")} left out`;
}

/** A client that came while there is no place for it. */
export function waitsLine(address: string, isForMany: boolean): string {
  const why = isForMany ? "every place is taken" : "one client at a time";
  return `${escapeText(address)} waits: ${why}`;
}

/** A client that waited until the share was over. */
export function notServedLine(address: string): string {
  return `Not served: ${escapeText(address)}, the share is over`;
}

/** The words both sides compare. */
export function wordsLine(words: readonly string[], style: Style): string {
  return `Words: ${paint(words.map(escapeText).join(" "), "bold", style)}`;
}

/** Sizes and counts of an offer, as the sender sees them. */
export function sendingLine(offer: OfferEvent): string {
  return `Sending ${amountOf(offer)}`;
}

/** How much is offered. */
export function amountOf({ items, bytes, hasStream }: OfferEvent): string {
  const size = hasStream ? "length not known yet" : formatBytes(bytes);
  return `${formatCount(items, "item")}, ${size}`;
}

/** An offer as the receiver sees it: one line of numbers, then the top-level names. */
export function offerLines(offer: OfferEvent, columns: number, style: Style): string[] {
  const numbers = [
    `${offer.newItems} new`,
    `${offer.sameItems} same`,
    `${offer.differItems} differ`,
    ...(offer.partlyItems > 0 ? [`${offer.partlyItems} partly here`] : []),
    // Without them the numbers would not come to what is offered.
    ...(offer.directories > 0 ? [formatCount(offer.directories, "folder")] : []),
  ].join(" · ");
  const dotNames = new Set(offer.dotNames);
  const shown = offer.names.slice(0, MAX_SHOWN_NAMES);
  const lines = [`Offered: ${amountOf(offer)}`, `  ${numbers}`];
  for (const name of shown) {
    const mark = dotNames.has(name) ? " (begins with a dot)" : "";
    const text = cutEnd(escapeText(name), columns - 2 - textWidth(mark));
    lines.push(`  ${text}${paint(mark, "yellow", style)}`);
  }
  const hidden = offer.names.length - shown.length;
  // The event lists only the first hundred names itself.
  if (hidden > 0) lines.push(`  … and ${offer.names.length < 100 ? hidden : "many"} more`);
  return lines;
}

/** How much need not be sent. */
export function resumedLine(event: ResumedEvent): string {
  return `${formatBytes(event.bytes)} of ${formatCount(event.files, "file")} are here already`;
}

/** A text for the screen: its line breaks and tabs stay, everything else is escaped. */
export function textLines(event: TextEvent): string[] {
  const lines = event.text.split(/\r\n|\n/);
  // What ends in a line break has no line behind it.
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.split("\t").map(escapeText).join("\t"));
}

/** A file that is complete. */
export function fileDoneLine(event: FileDoneEvent): string {
  return `Done: ${escapeText(event.path)} (${formatBytes(event.bytes)})`;
}

/** Something that did not go as wished. */
export function warningLine(event: WarningEvent, style: Style): string {
  const isNamed = event.path === undefined || event.message.includes(event.path);
  const text = isNamed ? event.message : `${event.message}: ${event.path}`;
  return `${paint("Warning:", "yellow", style)} ${escapeText(text)}`;
}

/**
 * What failed and why, then what to do next. Both are taken as they are: text that may hold words of
 * the other side is escaped by the caller, the program's own keeps its backslashes.
 */
export function errorLines(message: string, hint: string, style: Style): string[] {
  return [`${paint("Error:", "red", style)} ${message}`, `  ${hint}`];
}

/** Hex digits of a root in a line of its own, where the whole does not fit beside its label. */
const ROOT_LABEL = "Verified root: ";

function rootLines(root: string, columns: number): string[] {
  if (ROOT_LABEL.length + root.length <= columns) return [ROOT_LABEL + root];
  const half = Math.ceil(root.length / 2);
  return [ROOT_LABEL + root.slice(0, half), " ".repeat(ROOT_LABEL.length) + root.slice(half)];
}

/** Codes a transfer can end with although it ended well: something was left out. */
const LEFT_OUT_CODES = [
  "unsafe_name",
  "some_kept",
  "source_changed",
] as const satisfies ErrorCode[];

/** The table's is for the receiver, who can take more; the sender did not get to send it. */
function leftOutHint(row: ErrorRow, role: Role): string {
  return role === "send" && row === ERRORS.some_kept ? "The warnings above say why" : row.hint;
}

/** What came over the line, and what was there before: the rate is that of the first. */
function movedLine(event: DoneEvent, role: Role): string {
  const { items, bytes, keptBytes = 0, elapsedMs, rateBytesPerSecond } = event;
  const there = role === "send" ? "there" : "here";
  if (bytes === keptBytes) return `${formatCount(items, "item")} ${there}, no bytes had to be sent`;
  const size = formatBytes(bytes);
  const what = keptBytes === 0 ? size : `${size}, ${formatBytes(keptBytes)} of it ${there} before,`;
  return `${role === "send" ? "Sent" : "Received"} ${formatCount(items, "item")}, ${what} in ${
    formatElapsed(elapsedMs)
  } (${formatRate(rateBytesPerSecond)})`;
}

/** The end of a transfer that went well, perhaps with files left out. */
export function doneLines(
  event: DoneEvent,
  options: { role: Role; directory?: string | undefined; columns: number; style: Style },
): string[] {
  const { role, directory, columns, style } = options;
  const lines = [
    movedLine(event, role),
    ...(directory === undefined || directory === "." ? [] : [`In ${directory}`]),
    ...rootLines(event.root, columns),
  ];
  const proof = role === "send" ? "Confirmation received." : "Everything verified.";
  if (event.exit === 0 && event.leftOut === 0) {
    return [...lines, paint(`${proof} Transfer complete.`, "green", style)];
  }
  const code = LEFT_OUT_CODES.find((candidate) => ERRORS[candidate].exit === event.exit);
  const row: ErrorRow | undefined = code === undefined ? undefined : ERRORS[code];
  return [
    ...lines,
    paint(
      `${proof} Complete, but for ${formatCount(event.leftOut, "item")} left out.`,
      "yellow",
      style,
    ),
    ...(row === undefined ? [] : [`  ${leftOutHint(row, role)}`]),
  ];
}
