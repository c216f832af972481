/**
 * `--log`: who came, by what they were let in, what they took and how it ended; one JSON object a
 * line (docs/cli.md, "The log"). Whoever keeps one has to answer for who got what: when it cannot be
 * written, nobody new is let in.
 */
import type { TransferEvent } from "../events.ts";
import { escapeJson } from "../transfer/escape_text.ts";
import type { LogFile } from "./log_file.ts";

/** What the log tells of itself. */
export interface ClientLogParts {
  readonly file: LogFile;
  /** The time of day: milliseconds since 1970. */
  readonly timeMs: () => number;
  /**
   * Told once, with what was thrown, when a line could not be written; and of which session, when it
   * said that one was let in.
   */
  readonly onFailure: (error: unknown, admitted: number | undefined) => void;
}

/** One line, before its time; the fields are those of docs/cli.md. */
type LogRecord = { readonly event: string } & Readonly<Record<string, unknown>>;

/** The log of one share. */
export class ClientLog {
  readonly #parts: ClientLogParts;
  #hasFailed = false;

  constructor(parts: ClientLogParts) {
    this.#parts = parts;
  }

  /** Whether a line could not be written: then nothing that happens is on record any more. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** The share begins. */
  begin(command: string, names: readonly string[]): void {
    this.#write({ event: "started", command, names });
  }

  /** Writes what is worth a line. */
  handleEvent(event: TransferEvent): void {
    const record = logRecord(event);
    if (record === undefined) return;
    this.#write(record, record.event === "admitted" ? record["session"] as number : undefined);
  }

  /** Syncs and closes the file. */
  async close(): Promise<void> {
    try {
      await this.#parts.file.close();
    } catch (error) {
      this.#fail(error, undefined);
    }
  }

  #write(record: LogRecord, admitted?: number): void {
    if (this.#hasFailed) return;
    const time = new Date(this.#parts.timeMs()).toISOString();
    try {
      this.#parts.file.write(escapeJson(JSON.stringify({ time, ...record })));
    } catch (error) {
      this.#fail(error, admitted);
    }
  }

  #fail(error: unknown, admitted: number | undefined): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#parts.onFailure(error, admitted);
  }
}

/** What the log keeps of an event; undefined of most. */
export function logRecord(event: TransferEvent): LogRecord | undefined {
  switch (event.event) {
    case "connected": {
      const { session, address, resumes } = event;
      return {
        event: "connected",
        session,
        address,
        ...(resumes === undefined ? {} : { resumes }),
      };
    }
    case "identity": {
      const { session, fingerprint, name, recognition } = event;
      return { event: "identity", session, fingerprint, name, recognition };
    }
    case "admission": {
      const { session, address, admitted, by } = event;
      return admitted
        ? { event: "admitted", session, address, by }
        : { event: "refused", session, address };
    }
    case "kicked":
      return { event: "kicked", session: event.session, address: event.address };
    case "file-done": {
      const { session, path, bytes, root } = event;
      return { event: "file", session, direction: directionOf(event), path, bytes, root };
    }
    case "done": {
      const { session, bytes, keptBytes = 0, items, leftOut, root, elapsedMs, exit } = event;
      return {
        event: "done",
        session,
        direction: directionOf(event),
        bytes,
        keptBytes,
        items,
        leftOut,
        root,
        elapsedMs: Math.round(elapsedMs),
        exit,
      };
    }
    case "error": {
      const { session, code, message } = event;
      return { event: "error", session, code, message };
    }
    case "closed": {
      const { reason, clients, bytes, elapsedMs, exit } = event;
      return { event: "closed", reason, clients, bytes, elapsedMs: Math.round(elapsedMs), exit };
    }
    default:
      return undefined;
  }
}

function directionOf({ back }: { readonly back?: true }): "given" | "taken" {
  return back ? "taken" : "given";
}
