/**
 * The status of a share with several clients: a line each, as many as there is room for, and one for
 * all together. One client alone looks as that of `send`. Pure.
 */
import type { ProgressEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { ClientsView, ClientView } from "./clients_view.ts";
import { formatCount, formatRate, percentOf } from "./format.ts";
import { shortLimit } from "./limit_messages.ts";
import { paint, type Style } from "./paint.ts";
import { isAllMoved, remaining, render } from "./render.ts";
import { cutEnd, textWidth } from "./text_width.ts";
import type { View } from "./view.ts";

/** Lines of single clients, however large the terminal is: more than that nobody reads. */
const MAX_CLIENT_LINES = 8;

/** Rows that are left to what stays, and to what is typed. */
const FREE_ROWS = 4;

/** The widest a name or an address gets, and the least: 11 columns are `1.2.3.4:500…`. */
const MAX_NAME_COLUMNS = 24;
const MIN_NAME_COLUMNS = 10;

/** What else a line needs to be worth reading: percent, rate and time left. */
const FACTS_COLUMNS = 26;

const WAITS: Readonly<Record<Exclude<ClientView["admission"], "in">, string>> = {
  asks: "asks to be let in",
  place: "waits for a place",
  reply: "waits for its reply code",
};

/** Space for the status. */
export interface StatusSpace {
  /** The most a line may take. */
  readonly columns: number;
  /** Of the whole terminal. */
  readonly rows: number;
}

/** The lines that show `view` now; none when there is nothing to show. */
export function renderClients(view: ClientsView, space: StatusSpace, style: Style): string[] {
  const { clients, idle } = view;
  const { columns, rows } = space;
  if (view.isOver) return [];
  if (clients.length === 0) return render(idle, columns, style);
  if (clients.length === 1) return renderOnly(clients[0]!, columns, style);
  const room = Math.max(0, Math.min(MAX_CLIENT_LINES, rows - FREE_ROWS));
  // One line that says "and 1 more" would take the place of that client.
  const shown = clients.length <= room ? clients : inOrder(clients).slice(0, Math.max(0, room - 1));
  const names = nameColumns(shown, columns);
  return [
    ...shown.map((client) => renderLine(client, names, columns, style)),
    ...(shown.length === clients.length || shown.length === 0
      ? []
      : [renderHidden(clients.filter((client) => !shown.includes(client)), columns, style)]),
    renderAll(view, columns, style),
  ];
}

/** Alone it looks as it does with `send`, but for what it waits for. */
function renderOnly({ admission, view }: ClientView, columns: number, style: Style): string[] {
  return admission === "place" ? [cutEnd("It waits for a place …", columns)] : render(
    view.phase.name === "waiting_for_peer" ? { ...view, phase: { name: "connected" } } : view,
    columns,
    style,
  );
}

/** Those who do something before those who wait. */
function inOrder(clients: readonly ClientView[]): readonly ClientView[] {
  const isMoving = (client: ClientView) => client.view.phase.name === "moving";
  return [...clients.filter(isMoving), ...clients.filter((client) => !isMoving(client))];
}

function nameColumns(clients: readonly ClientView[], columns: number): number {
  const widest = Math.max(...clients.map((client) => textWidth(whoIs(client))));
  const room = Math.max(MIN_NAME_COLUMNS, columns - FACTS_COLUMNS);
  return Math.min(widest, MAX_NAME_COLUMNS, room);
}

function whoIs({ name, address }: ClientView): string {
  return escapeText(name ?? address);
}

/** Number, who it is, and what it does. */
function renderLine(client: ClientView, names: number, columns: number, style: Style): string {
  const who = cutEnd(whoIs(client), names);
  const head = `${String(client.session).padStart(3)} ${who}${
    " ".repeat(Math.max(0, names - textWidth(who)))
  }`;
  const facts = factsOf(client);
  let line = cutEnd(head, columns);
  for (const [index, fact] of facts.entries()) {
    const room = columns - textWidth(line) - 1;
    // The first says what it does at all: half of that is better than nothing.
    const text = index === 0 ? cutEnd(fact, room) : fact;
    if (text === "" || textWidth(text) > room) break;
    line += ` ${text}`;
  }
  const isStuck = client.view.phase.name === "moving" && client.view.phase.isSilent;
  return isStuck ? paint(line, "yellow", style) : line;
}

function factsOf({ admission, view }: ClientView): string[] {
  if (admission !== "in") return [WAITS[admission]];
  const { phase } = view;
  if (phase.name !== "moving") return ["looks at what is offered"];
  const moving = progressOf(view);
  const done = moving.reduce((sum, { bytesDone }) => sum + bytesDone, 0);
  const total = moving.reduce((sum, { bytesTotal }) => sum + bytesTotal, 0);
  const percent = `${String(percentOf(done, total)).padStart(3)}%`;
  if (phase.isSilent) return [percent, "looking for another way …"];
  if (moving.every(isAllMoved)) return [percent, "waiting for confirmation …"];
  const left = moving.map(remaining).find((text) => text !== undefined);
  const limit = moving.map(shortLimit).find((text) => text !== undefined);
  return [
    percent,
    formatRate(rateOf(view)).padStart(9),
    ...(left === undefined ? [] : [left]),
    ...(limit === undefined ? [] : [`(${limit})`]),
  ];
}

function progressOf({ phase }: View): readonly ProgressEvent[] {
  if (phase.name !== "moving") return [];
  return phase.other === undefined ? [phase.progress] : [phase.progress, phase.other];
}

function rateOf(view: View): number {
  if (view.phase.name === "moving" && view.phase.isSilent) return 0;
  return progressOf(view).reduce((sum, progress) => sum + progress.rateBytesPerSecond, 0);
}

function ratesOf(clients: readonly ClientView[]): string {
  return formatRate(clients.reduce((sum, { view }) => sum + rateOf(view), 0));
}

function renderHidden(hidden: readonly ClientView[], columns: number, style: Style): string {
  return paint(cutEnd(`… and ${hidden.length} more: ${ratesOf(hidden)}`, columns), "dim", style);
}

function renderAll({ clients, servedCount }: ClientsView, columns: number, style: Style): string {
  const text = `${formatCount(clients.length, "client")}, ${servedCount} served, ${
    ratesOf(clients)
  }`;
  return paint(cutEnd(text, columns), "bold", style);
}
