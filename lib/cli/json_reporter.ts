/** One JSON object a line on standard output, for programs (docs/cli.md, "JSON events"). */
import type { DoctorReport } from "../doctor/doctor_report.ts";
import type { TransferEvent } from "../events.ts";
import { escapeJson, escapeText } from "../transfer/escape_text.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import type { LanEvent } from "./lan_events.ts";
import type { PeersReport } from "./peers_report.ts";
import { stackLines } from "./failure.ts";
import type { Reporter } from "./reporter.ts";

/** Version of the schema: grows when a field is removed or changes its meaning. */
const JSON_SCHEMA_VERSION = 1;

/** An event of the library, or one that `doctor`, `peers` or `--lan` prints. */
export type JsonEvent =
  | TransferEvent
  | ({ readonly event: "doctor" } & DoctorReport)
  | LanEvent
  | PeersReport;

/** The line for `event`, without its end. */
export function jsonLine(event: JsonEvent): string {
  return escapeJson(JSON.stringify({ v: JSON_SCHEMA_VERSION, ...event }, roundTimes));
}

/** No time that is measured here is exact to more than a tenth of a millisecond. */
function roundTimes(key: string, value: unknown): unknown {
  return key.endsWith("Ms") && typeof value === "number" ? Math.round(value * 10) / 10 : value;
}

/** Reports to programs. */
export class JsonReporter implements Reporter {
  readonly #streams: ConsoleStreams;
  readonly #verbose: boolean;

  /**
   * @param streams Where lines go.
   * @param verbose Whether stack traces are written to standard error.
   */
  constructor(streams: ConsoleStreams, verbose: boolean) {
    this.#streams = streams;
    this.#verbose = verbose;
  }

  /** Writes the event. */
  handleEvent(event: TransferEvent): void {
    this.#streams.writeOutput(`${jsonLine(event)}\n`);
  }

  /** Writes the stack, if asked for. */
  handleException(error: unknown): void {
    if (!this.#verbose) return;
    for (const line of stackLines(error)) this.#streams.writeError(`${escapeText(line)}\n`);
  }
}
