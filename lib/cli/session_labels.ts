/**
 * Whom a line is about that stays on the screen: nobody needs to be told as long as one client came,
 * from the second on each line begins with its number and its name or address. Pure.
 */
import type { TransferEvent } from "../events.ts";
import { escapeText } from "../transfer/escape_text.ts";

/** Clients that are remembered: of those long gone nothing more is told. */
const MAX_SESSIONS = 1024;

/** The labels of one share. */
export class SessionLabels {
  readonly #names = new Map<number, string>();
  #clientCount = 0;

  /** Takes note of who comes, and who that is. */
  handleEvent(event: TransferEvent): void {
    if (event.event === "connected") {
      const earlier = event.resumes === undefined ? undefined : this.#names.get(event.resumes);
      if (event.resumes === undefined) this.#clientCount++;
      this.#names.set(event.session, earlier ?? event.address);
      const [oldest] = this.#names.keys();
      if (this.#names.size > MAX_SESSIONS) this.#names.delete(oldest!);
    }
    if (event.event === "identity" && event.name !== undefined) {
      this.#names.set(event.session, event.name);
    }
  }

  /** What a line about an event begins with; empty when it needs nothing. */
  labelOf({ event, session }: { readonly event: string; readonly session?: number }): string {
    if (session === undefined || this.#clientCount < 2) return "";
    // These lines say the address themselves.
    const saysWho = event === "connected" || event === "kicked" || event === "admission";
    const name = saysWho ? undefined : this.#names.get(session);
    return name === undefined ? `[${session}] ` : `[${session} ${escapeText(name)}] `;
  }
}
