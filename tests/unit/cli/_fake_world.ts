/** A world in memory for commands: streams, clock, permissions and scripted operations. */
import type { TransferEvent } from "../../../lib/events.ts";
import type { ReceiveOptions, ShareOptions } from "../../../lib/options.ts";
import { after, type Instant, instant } from "../../../lib/time.ts";
import type { Clock } from "../../../lib/transport/clock.ts";
import type { ConsoleStreams } from "../../../lib/cli/console_streams.ts";
import type { World } from "../../../lib/cli/context.ts";
import type { Operation } from "../../../lib/cli/run_operation.ts";
import { Screen } from "./_screen.ts";

/** A clock that stands still until told. */
export class FakeClock implements Clock {
  #now = instant(1000);
  #timers: { deadline: Instant; callback: () => void }[] = [];

  now(): Instant {
    return this.#now;
  }

  setTimer(deadline: Instant, callback: () => void): () => void {
    const timer = { deadline, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  advance(durationMs: number): void {
    this.#now = after(this.#now, durationMs);
    const due = this.#timers.filter((timer) => timer.deadline <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.deadline > this.#now);
    for (const timer of due) timer.callback();
  }
}

/** Which of the three streams are terminals, and how wide. */
export interface FakeStreamsOptions {
  readonly terminal?: boolean;
  readonly inputIsTerminal?: boolean;
  readonly outputIsTerminal?: boolean;
  readonly errorIsTerminal?: boolean;
  readonly columns?: number;
  /** Lines of the input; on a terminal each answers one question. */
  readonly lines?: readonly string[];
}

/** Streams that remember. On a terminal an input that has run out waits, else it ends. */
export class FakeStreams implements ConsoleStreams {
  readonly inputIsTerminal: boolean;
  readonly outputIsTerminal: boolean;
  readonly errorIsTerminal: boolean;
  output = "";
  error = "";
  /** What a person sees when output and error go to the same terminal. */
  readonly screen: Screen;
  width: number;
  droppedTypedAhead = 0;
  readonly #lines: string[];

  constructor(options: FakeStreamsOptions = {}) {
    const terminal = options.terminal ?? false;
    this.inputIsTerminal = options.inputIsTerminal ?? terminal;
    this.outputIsTerminal = options.outputIsTerminal ?? terminal;
    this.errorIsTerminal = options.errorIsTerminal ?? terminal;
    this.width = options.columns ?? 80;
    this.screen = new Screen(this.width);
    this.#lines = [...options.lines ?? []];
  }

  writeOutput(text: string): void {
    this.output += text;
    if (this.outputIsTerminal) this.screen.write(text);
  }

  writeError(text: string): void {
    this.error += text;
    if (this.errorIsTerminal) this.screen.write(text);
  }

  columns(): number {
    return this.width;
  }

  resize(columns: number): void {
    this.width = columns;
    this.screen.resize(columns);
  }

  readLine(signal?: AbortSignal): Promise<string | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined) {
      // The terminal echoes what is typed.
      if (this.inputIsTerminal) this.screen.write(`${line}\n`);
      return Promise.resolve(line);
    }
    if (!this.inputIsTerminal || signal?.aborted) return Promise.resolve(undefined);
    return new Promise((resolve) =>
      signal?.addEventListener("abort", () => resolve(undefined), { once: true })
    );
  }

  dropTypedAhead(): Promise<void> {
    this.droppedTypedAhead++;
    return Promise.resolve();
  }

  /** The objects on standard output; throws where a line is not one. */
  get events(): Record<string, unknown>[] {
    return this.output.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }
}

/** An operation that yields what a script yields. */
export class ScriptedOperation implements Operation {
  closed = 0;
  readonly #events: AsyncGenerator<TransferEvent, void>;

  constructor(events: AsyncGenerator<TransferEvent, void>) {
    this.#events = events;
  }

  [Symbol.asyncIterator](): AsyncIterator<TransferEvent> {
    return this.#events;
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }
}

/** An operation of fixed events. */
export function operationOf(...events: TransferEvent[]): ScriptedOperation {
  return new ScriptedOperation((async function* () {
    for (const event of events) yield await Promise.resolve(event);
  })());
}

/** Parts of a world that differ from the usual. */
export interface FakeWorldOptions {
  readonly streams?: FakeStreams;
  readonly granted?: (descriptor: Deno.PermissionDescriptor) => boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly hasSocket?: boolean;
  readonly compiled?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly share?: (paths: readonly string[], options: ShareOptions) => Promise<Operation>;
  readonly receive?: (code: string, options: ReceiveOptions) => Promise<Operation>;
}

/** A world where everything is granted and nothing may be called but what is given. */
export function fakeWorld(options: FakeWorldOptions = {}): World & { streams: FakeStreams } {
  const never = () => Promise.reject(new Error("Not expected to be called"));
  return {
    streams: options.streams ?? new FakeStreams(),
    clock: options.clock ?? new FakeClock(),
    signal: options.signal ?? new AbortController().signal,
    installation: {
      compiled: options.compiled ?? false,
      moduleUrl: "https://jsr.io/@p2pft/cli/0.1.0/cli.ts",
      windows: false,
    },
    permissions: (descriptor) =>
      Promise.resolve({ state: options.granted?.(descriptor) ?? true ? "granted" : "prompt" }),
    env: (name) => options.env?.[name],
    noColor: false,
    hasSocket: options.hasSocket ?? true,
    share: options.share ?? never,
    receive: options.receive ?? never,
  };
}

/** Events with the usual values, for scripts. */
export const EVENTS = {
  code: { event: "code", code: "p2p1qexample", addresses: ["192.0.2.7:4000"] },
  connecting: { event: "connecting", addresses: ["192.0.2.7:4000"] },
  connected: {
    event: "connected",
    session: 1,
    address: "198.51.100.4:5000",
    route: "direct",
    rttMs: 12.3,
  },
  offer: {
    event: "offer",
    session: 1,
    items: 12,
    files: 10,
    directories: 2,
    bytes: 50_200_000,
    names: ["photos", "notes.txt"],
    newItems: 10,
    sameItems: 0,
    differItems: 0,
    dotNames: [],
  },
  progress: {
    event: "progress",
    session: 1,
    bytesDone: 12_300_000,
    bytesTotal: 50_200_000,
    itemsDone: 3,
    itemsTotal: 12,
    rateBytesPerSecond: 11_200_000,
    remainingSeconds: 3.4,
    file: "photos/2024/img_0001.jpg",
    route: "direct",
  },
  done: {
    event: "done",
    session: 1,
    bytes: 50_200_000,
    items: 12,
    leftOut: 0,
    root: "0123456789abcdef".repeat(4),
    elapsedMs: 4480,
    rateBytesPerSecond: 11_200_000,
    exit: 0,
  },
  refused: {
    event: "error",
    session: 1,
    code: "refused",
    exit: 5,
    message: "The other side did not let this machine in",
    hint: "One of the two people said no: agree first, then try again",
    fatal: true,
  },
} as const satisfies Record<string, TransferEvent>;
