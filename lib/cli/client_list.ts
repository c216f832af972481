/** Everybody who is connected, for `list`: a line each. Pure. */
import type { ClientReport } from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytesOf, formatRate, formatSeconds } from "./format.ts";
import { ROUTE_WORDS } from "./path_messages.ts";
import { cutEnd } from "./text_width.ts";

const STATE_WORDS: Readonly<Record<ClientReport["state"], string>> = {
  asking: "asks to be let in",
  waiting: "waits",
  admitted: "is in",
  moving: "moving",
  silent: "nothing heard",
};

/** The lines, the longest-connected client first. */
export function clientListLines(clients: readonly ClientReport[], columns: number): string[] {
  if (clients.length === 0) return ["Nobody is here."];
  return clients.map((client) => cutEnd(clientLine(client), columns));
}

function clientLine(client: ClientReport): string {
  const { session, address, identity, state, bytesDone, bytesTotal } = client;
  const name = identity?.name === undefined ? [] : [escapeText(identity.name)];
  const stranger = identity !== undefined && identity.name === undefined
    ? [identity.fingerprint]
    : [];
  const moved = bytesTotal === 0
    ? []
    : [formatBytesOf(bytesDone, bytesTotal), formatRate(client.rateBytesPerSecond)];
  return `${String(session).padStart(3)}  ${
    [
      ...name,
      escapeText(address),
      STATE_WORDS[state],
      ...moved,
      ROUTE_WORDS[client.route],
      `for ${formatSeconds(client.connectedMs / 1000)}`,
      ...stranger,
    ].join(", ")
  }`;
}
