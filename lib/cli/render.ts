/**
 * The status: what is going on right now, in the columns there are. Pure; `terminal.ts` puts it on
 * the screen.
 */
import type { PathRoute, ProgressEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytes, formatBytesOf, formatRate, formatSeconds, percentOf } from "./format.ts";
import { limitLine } from "./limit_messages.ts";
import { paint, type Style } from "./paint.ts";
import { cutEnd, cutStart, textWidth } from "./text_width.ts";
import { directionOf, type Role, type View, wayOf } from "./view.ts";

/** From this width on there is room for a bar. */
const BAR_MIN_COLUMNS = 90;
const BAR_COLUMNS = 16;

/** Fewer columns than this tell nothing about a file or a route. */
const FILE_MIN_COLUMNS = 12;
const ROUTE_MAX_COLUMNS = 24;

const STARTING: Readonly<Record<Role, string>> = {
  send: "Preparing …",
  receive: "Reading the code …",
  verify: "Reading the manifest …",
};

/** Where the bytes go, beside everything else in the line; nothing where that is no network. */
const SHORT_ROUTES: Readonly<Record<PathRoute, string>> = {
  loopback: "loopback",
  lan: "LAN",
  internet: "Internet",
};

/**
 * The lines that show `view` now: one, none when there is nothing to show; for a transfer that is not
 * as fast as it could be two, and as many for what goes the other way at the same time.
 *
 * @param columns The most a line may take.
 */
export function render(view: View, columns: number, style: Style): string[] {
  const { phase, role } = view;
  switch (phase.name) {
    case "starting":
      return [cutEnd(STARTING[role], columns)];
    case "waiting_for_peer":
      return [cutEnd("Waiting for the other side … (Ctrl-C ends)", columns)];
    case "connecting":
      return [cutEnd(`Connecting to ${escapeText(listShort(phase.addresses))} …`, columns)];
    case "waiting_for_paste":
      return [cutEnd("Waiting for the code to be pasted there … (Ctrl-C ends)", columns)];
    case "waiting_for_reply":
      return [cutEnd("Waiting for its reply code … (Ctrl-C ends)", columns)];
    case "connected":
      return [cutEnd(role === "send" ? "Getting ready …" : "Reading the list of files …", columns)];
    case "offered":
      return [
        cutEnd(
          role === "send" ? "Waiting for the other side to accept …" : "Getting ready …",
          columns,
        ),
      ];
    case "waiting_for_admission":
      return [cutEnd("Waiting for the other side to let this machine in …", columns)];
    case "moving":
      return [phase.progress, ...(phase.other === undefined ? [] : [phase.other])].flatMap(
        (progress) =>
          phase.isSilent
            ? [fit([...renderShare(progress, columns, style), SILENT], columns)]
            : renderMoving(progress, directionOf(role, wayOf(progress)), columns, style),
      );
    case "over":
      return [];
    default:
      return phase satisfies never;
  }
}

const SILENT = "looking for another way …";

function renderMoving(
  progress: ProgressEvent,
  role: Role,
  columns: number,
  style: Style,
): string[] {
  return [
    ...renderLimit(progress, columns, style),
    renderProgress(progress, role, columns, style),
  ];
}

function listShort(addresses: readonly string[]): string {
  const [first, ...others] = addresses;
  if (first === undefined) return "the other side";
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** Whether every byte has moved; what follows is checking. */
export function isAllMoved(progress: ProgressEvent): boolean {
  return progress.bytesDone >= progress.bytesTotal && progress.itemsDone >= progress.itemsTotal;
}

/** How much time is left, as far as it is known. */
export function remaining(progress: ProgressEvent): string | undefined {
  const { remainingSeconds } = progress;
  if (remainingSeconds === undefined || isAllMoved(progress)) return undefined;
  return `${formatSeconds(Math.max(1, remainingSeconds))} left`;
}

function renderLimit(progress: ProgressEvent, columns: number, style: Style): string[] {
  const line = isAllMoved(progress) ? undefined : limitLine(progress);
  return line === undefined ? [] : [paint(cutEnd(line, columns), "yellow", style)];
}

/** Percent, bar, bytes, rate, time left, route, file: what does not fit goes from the end. */
function renderProgress(
  progress: ProgressEvent,
  role: Role,
  columns: number,
  style: Style,
): string {
  const parts = renderShare(progress, columns, style);
  if (isAllMoved(progress)) {
    parts.push(role === "send" ? "waiting for confirmation …" : "checking …");
    return fit(parts, columns);
  }
  if (progress.readingBack) parts.push("reading back");
  parts.push(formatRate(progress.rateBytesPerSecond));
  const left = remaining(progress);
  if (left !== undefined) parts.push(left);
  const line = fit(parts, columns);
  let room = columns - textWidth(line);
  let rest = "";
  const route = cutEnd(
    routeText(progress),
    Math.min(ROUTE_MAX_COLUMNS, room - FILE_MIN_COLUMNS - 2),
  );
  if (textWidth(route) > 1) {
    rest += ` ${paint(route, "cyan", style)}`;
    room -= textWidth(route) + 1;
  }
  if (room > FILE_MIN_COLUMNS) rest += ` ${cutStart(escapeText(progress.file), room - 1)}`;
  return line + rest;
}

/** How much of all it is; of a stream nobody knows. */
function renderShare(progress: ProgressEvent, columns: number, style: Style): string[] {
  if (progress.hasStream) return [formatBytes(progress.bytesDone)];
  const percent = percentOf(progress.bytesDone, progress.bytesTotal);
  return [
    `${String(percent).padStart(3)}%`,
    ...(columns >= BAR_MIN_COLUMNS ? [bar(percent, style)] : []),
    formatBytesOf(progress.bytesDone, progress.bytesTotal),
  ];
}

function routeText({ route }: ProgressEvent): string {
  return route === undefined ? "" : SHORT_ROUTES[route];
}

/** As many of `parts` as fit, one space between. */
export function fit(parts: readonly string[], columns: number): string {
  let line = cutEnd(parts[0] ?? "", columns);
  for (const part of parts.slice(1)) {
    if (textWidth(line) + 1 + textWidth(part) > columns) break;
    line += ` ${part}`;
  }
  return line;
}

function bar(percent: number, style: Style): string {
  const full = Math.floor((percent * BAR_COLUMNS) / 100);
  return paint("█".repeat(full), "green", style) +
    paint("░".repeat(BAR_COLUMNS - full), "dim", style);
}

/** Progress as a line of its own, for logs and pipes. */
export function renderPlainProgress(progress: ProgressEvent): string {
  const percent = percentOf(progress.bytesDone, progress.bytesTotal);
  const left = remaining(progress);
  const all = `${percent}% (${formatBytesOf(progress.bytesDone, progress.bytesTotal)})`;
  return [
    progress.hasStream ? formatBytes(progress.bytesDone) : all,
    formatRate(progress.rateBytesPerSecond),
    ...(left === undefined ? [] : [left]),
    ...(routeText(progress) === "" ? [] : [routeText(progress)]),
    ...(progress.readingBack ? ["reading back"] : []),
    ...(progress.file === "" ? [] : [escapeText(progress.file)]),
  ].join(", ");
}
