/**
 * The program's three standard streams, as {@linkcode ./terminal.ts} needs them. The only file that
 * touches them.
 */
import { LineReader } from "./line_reader.ts";

/** Standard input, output and error. */
export interface ConsoleStreams {
  readonly inputIsTerminal: boolean;
  readonly outputIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  /** Writes to standard output. */
  writeOutput(text: string): void;
  /** Standard output for what is no text; nothing else is written to it then. */
  outputStream(): WritableStream<Uint8Array>;
  /** Writes to standard error. */
  writeError(text: string): void;
  /** Columns of the terminal now; 80 when there is none to ask. */
  columns(): number;
  /** Rows of the terminal now; 24 when there is none to ask. */
  rows(): number;
  /** The next line of standard input; undefined at its end, or when `signal` gives up. */
  readLine(signal?: AbortSignal): Promise<string | undefined>;
  /** As {@linkcode ConsoleStreams.readLine}, but gives up after so many milliseconds. */
  readLineWithin(timeoutMs: number, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Reads bytes of standard input, null at its end; not together with the reading of lines, but after
   * it and before it.
   */
  readInput(buffer: Uint8Array): Promise<number | null>;
  /** Forgets lines typed before a question was asked; resolves when it may be asked. */
  dropTypedAhead(): Promise<void>;
}

/** The same streams for a run whose output is the file itself: all that is said goes elsewhere. */
export function withoutOutput(streams: ConsoleStreams): ConsoleStreams {
  return {
    inputIsTerminal: streams.inputIsTerminal,
    outputIsTerminal: streams.errorIsTerminal,
    errorIsTerminal: streams.errorIsTerminal,
    writeOutput: (text) => streams.writeError(text),
    outputStream: () => streams.outputStream(),
    writeError: (text) => streams.writeError(text),
    columns: () => streams.columns(),
    rows: () => streams.rows(),
    readLine: (signal) => streams.readLine(signal),
    readInput: (buffer) => streams.readInput(buffer),
    readLineWithin: (timeoutMs, signal) => streams.readLineWithin(timeoutMs, signal),
    dropTypedAhead: () => streams.dropTypedAhead(),
  };
}

/** Taken where no terminal tells. */
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** What was typed before is read within this time, also on a busy machine; nobody waits for it. */
const TYPED_AHEAD_MS = 50;

/** Writes all of `text` at once: what is printed is short, and stays in order that way. */
function writeAll(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(stream.writeSync(rest));
}

/** Undefined when no stream is a terminal. */
function consoleSize(): { readonly columns: number; readonly rows: number } | undefined {
  try {
    return Deno.consoleSize();
  } catch {
    return undefined; // thrown as a plain Error
  }
}

/**
 * The streams of this process. None of it needs a permission.
 *
 * @param onOutputClosed Called when whoever read standard output is gone (`| head -1`).
 */
export function systemStreams(onOutputClosed: () => void): ConsoleStreams {
  const lines = new LineReader((buffer) => Deno.stdin.read(buffer));
  let outputOpen = true;
  let errorOpen = true;
  return {
    inputIsTerminal: Deno.stdin.isTerminal(),
    outputIsTerminal: Deno.stdout.isTerminal(),
    errorIsTerminal: Deno.stderr.isTerminal(),
    writeOutput(text) {
      if (!outputOpen) return;
      try {
        writeAll(Deno.stdout, text);
      } catch (error) {
        // A terminal that was closed says EIO, which has no class of its own.
        if (!(error instanceof Deno.errors.BrokenPipe) && !this.outputIsTerminal) throw error;
        // As other programs do at the end of a pipe: end, and say nothing about it.
        outputOpen = false;
        errorOpen = false;
        onOutputClosed();
      }
    },
    outputStream: () => Deno.stdout.writable,
    writeError(text) {
      if (!errorOpen) return;
      try {
        writeAll(Deno.stderr, text);
      } catch {
        // Nobody is left to tell, of this error too: what is being done is worth finishing anyway.
        errorOpen = false;
      }
    },
    columns() {
      return consoleSize()?.columns || DEFAULT_COLUMNS;
    },
    rows() {
      return consoleSize()?.rows || DEFAULT_ROWS;
    },
    readLine: (signal) => lines.next(signal),
    readInput: (buffer) => Deno.stdin.read(buffer),
    async readLineWithin(timeoutMs, signal) {
      const enough = new AbortController();
      const timer = setTimeout(() => enough.abort(), timeoutMs);
      try {
        return await lines.next(AbortSignal.any([signal, enough.signal]));
      } finally {
        clearTimeout(timer);
      }
    },
    dropTypedAhead: () =>
      lines.dropTypedAhead(() => new Promise((resolve) => setTimeout(resolve, TYPED_AHEAD_MS))),
  };
}
