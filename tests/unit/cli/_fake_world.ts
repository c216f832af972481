/** A world in memory for commands: streams, clock, permissions and scripted operations. */
import assert from "node:assert/strict";
import type { TransferEvent } from "../../../lib/events.ts";
import type {
  ClientReport,
  ReceiveOptions,
  ShareOptions,
  ShareSource,
  VerifyOptions,
} from "../../../lib/options.ts";
import { after, type Instant, instant } from "../../../lib/time.ts";
import type { Clock } from "../../../lib/transport/clock.ts";
import type { ConsoleStreams } from "../../../lib/cli/console_streams.ts";
import type {
  LocalNetwork,
  ReceiveOperation,
  Remembered,
  ShareOperation,
  World,
} from "../../../lib/cli/context.ts";
import type { LogFile } from "../../../lib/cli/log_file.ts";
import type { DoctorOptions, DoctorReport } from "../../../lib/doctor/doctor_report.ts";
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
  readonly rows?: number;
  /** Lines of the input; on a terminal each answers one question, when it is there. */
  readonly lines?: readonly string[];
  /** Bytes of the input, for whoever does not read lines. */
  readonly bytes?: Uint8Array;
}

/** The end of a change above the row of the cursor. */
const RESTORE_CURSOR = "\x1b8";

/** What a question ends with. */
const PROMPT_END = /[\]:?] $/;

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
  height: number;
  droppedTypedAhead = 0;
  /** What is left of the bytes of the input. */
  #bytes: Uint8Array;
  /** Answers that wait for their questions, where a person gives them. */
  readonly #lines: string[];
  /** Lines that were typed whatever is on the screen. */
  readonly #typed: { readonly line: string; readonly isPasteOn: boolean }[] = [];
  #isAsked = false;
  #wake: () => void = () => {};

  constructor(options: FakeStreamsOptions = {}) {
    const terminal = options.terminal ?? false;
    this.inputIsTerminal = options.inputIsTerminal ?? terminal;
    this.outputIsTerminal = options.outputIsTerminal ?? terminal;
    this.errorIsTerminal = options.errorIsTerminal ?? terminal;
    this.width = options.columns ?? 80;
    this.height = options.rows ?? 24;
    this.screen = new Screen(this.width);
    this.#lines = [...options.lines ?? []];
    this.#bytes = options.bytes ?? new Uint8Array(0);
  }

  writeOutput(text: string): void {
    this.output += text;
    if (this.outputIsTerminal) this.screen.write(text);
  }

  /** What was written to the stream of {@linkcode FakeStreams.outputStream}. */
  readonly fileBytes: number[] = [];

  outputStream(): WritableStream<Uint8Array> {
    return new WritableStream({ write: (bytes) => void this.fileBytes.push(...bytes) });
  }

  writeError(text: string): void {
    this.error += text;
    if (this.errorIsTerminal) this.screen.write(text);
    // Rows that are changed above a question leave it as it is.
    if (!text.includes(RESTORE_CURSOR)) this.#isAsked = PROMPT_END.test(text);
    if (this.#isAsked) this.#wake();
  }

  /** A person types something and does not end the line yet: it is on the screen, and not read. */
  typeOn(text: string): void {
    this.screen.write(text);
  }

  /** A person types or pastes a line now. */
  type(line: string): void {
    this.paste(line);
  }

  /** A person pastes lines now; the terminal shows all of them before the first is read. */
  paste(...lines: string[]): void {
    lines.forEach((line, index) => this.#typed.push({ line, isPasteOn: index > 0 }));
    if (this.inputIsTerminal) this.screen.write(lines.map((line) => `${line}\n`).join(""));
    this.#wake();
  }

  columns(): number {
    return this.width;
  }

  rows(): number {
    return this.height;
  }

  resize(columns: number): void {
    this.width = columns;
    this.screen.resize(columns);
  }

  async readLine(signal?: AbortSignal): Promise<string | undefined> {
    while (!signal?.aborted) {
      const line = this.#nextLine();
      if (line !== undefined || !this.inputIsTerminal) return line;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    return undefined;
  }

  #nextLine(): string | undefined {
    const typed = this.#typed.shift()?.line;
    if (typed !== undefined || !this.inputIsTerminal) return typed ?? this.#lines.shift();
    const line = this.#isAsked ? this.#lines.shift() : undefined;
    // The terminal echoes what is typed.
    if (line !== undefined) this.screen.write(`${line}\n`);
    if (line !== undefined) this.#isAsked = false;
    return line;
  }

  readInput(buffer: Uint8Array): Promise<number | null> {
    const part = this.#bytes.subarray(0, buffer.length);
    this.#bytes = this.#bytes.subarray(part.length);
    buffer.set(part);
    return Promise.resolve(part.length === 0 ? null : part.length);
  }

  /** Only what was pasted together comes within any time. */
  readLineWithin(): Promise<string | undefined> {
    const isNext = this.#typed[0]?.isPasteOn === true;
    return Promise.resolve(isNext ? this.#typed.shift()!.line : undefined);
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
export class ScriptedOperation implements ShareOperation, ReceiveOperation {
  closed = 0;
  /** Reply codes that were handed in. */
  readonly replies: string[] = [];
  /** What was done to it beside that, in order. */
  readonly calls: unknown[] = [];
  /** Who is there. */
  clients: readonly ClientReport[] = [];
  readonly #events: AsyncGenerator<TransferEvent, void>;
  readonly #onReply: (code: string) => void;

  /** @param onReply Told of a reply code; what it throws, `addReply` throws. */
  constructor(
    events: AsyncGenerator<TransferEvent, void>,
    onReply: (code: string) => void = () => {},
  ) {
    this.#events = events;
    this.#onReply = onReply;
  }

  addReply(code: string): void {
    this.replies.push(code);
    this.#onReply(code);
  }

  setLimit(bytesPerSecond: number | undefined): void {
    this.calls.push(["setLimit", bytesPerSecond]);
  }

  kick(session: number): boolean {
    this.calls.push(["kick", session]);
    return this.clients.some((client) => client.session === session);
  }

  stopAdmitting(): void {
    this.calls.push(["stopAdmitting"]);
  }

  offer(source: ShareSource): void {
    this.calls.push(["offer", source]);
  }

  /** What `remember` throws, when it is to throw. */
  rememberError: Error | undefined;

  remember(...how: unknown[]): Promise<Remembered> {
    this.calls.push(["remember", ...how]);
    const error = this.rememberError;
    this.rememberError = undefined;
    return error === undefined ? Promise.resolve({ lookAlikes: [] }) : Promise.reject(error);
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

/** An operation whose events may come of what was done to it. */
export function scriptedOperation(
  script: (itself: ScriptedOperation) => AsyncGenerator<TransferEvent, void>,
): ScriptedOperation {
  const begun = Promise.withResolvers<ScriptedOperation>();
  const operation = new ScriptedOperation((async function* () {
    yield* script(await begun.promise);
  })());
  begun.resolve(operation);
  return operation;
}

/** Waits in turns of promises for what a test has set going. */
export async function until(isDone: () => boolean): Promise<void> {
  for (let turn = 0; !isDone(); turn++) {
    assert.ok(turn < 10_000, "It does not come");
    await Promise.resolve();
  }
}

/** A local network on which nobody is. */
export const EMPTY_LAN: LocalNetwork = {
  lanProblem: () => undefined,
  announceOnLan: () => Promise.reject(new Error("Not expected to be called")),
  async *sharesOnLan({ signal } = {}) {
    if (signal === undefined || signal.aborted) return;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    yield* [];
  },
};

/** Parts of a world that differ from the usual. */
export interface FakeWorldOptions {
  readonly streams?: FakeStreams;
  readonly granted?: (descriptor: Deno.PermissionDescriptor) => boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly hasSocket?: boolean;
  readonly compiled?: boolean;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly send?: (source: ShareSource, options: ShareOptions) => Promise<ShareOperation>;
  readonly share?: (source: ShareSource, options: ShareOptions) => Promise<ShareOperation>;
  readonly receive?: (code: string, options: ReceiveOptions) => Promise<ReceiveOperation>;
  readonly doctor?: (code: string | undefined, options: DoctorOptions) => Promise<DoctorReport>;
  readonly verify?: (paths: readonly string[], options: VerifyOptions) => Promise<Operation>;
  readonly localNetwork?: LocalNetwork;
  readonly openIdentities?: World["openIdentities"];
  readonly openLog?: (path: string, replacesIn?: string) => Promise<LogFile>;
}

/** A world where everything is granted and nothing may be called but what is given. */
export function fakeWorld(options: FakeWorldOptions = {}): World & { streams: FakeStreams } {
  const never = () => Promise.reject(new Error("Not expected to be called"));
  return {
    streams: options.streams ?? new FakeStreams(),
    clock: options.clock ?? new FakeClock(),
    signal: options.signal ?? new AbortController().signal,
    onResize: () => () => {},
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
    send: options.send ?? never,
    share: options.share ?? never,
    receive: options.receive ?? never,
    doctor: options.doctor ?? never,
    verify: options.verify ?? never,
    localNetwork: () => Promise.resolve(options.localNetwork ?? EMPTY_LAN),
    identityFolder: (given) => given ?? options.env?.["P2PFT_HOME"],
    openIdentities: options.openIdentities ?? never,
    openLog: options.openLog ?? never,
    timeMs: () => Date.UTC(2026, 1, 1, 8, 30),
  };
}

/** Events with the usual values, for scripts. */
export const EVENTS = {
  code: { event: "code", code: "p2p1qexample", addresses: ["192.0.2.7:4000"] },
  replyCode: {
    event: "reply-code",
    code: "p2p1zreply",
    addresses: ["203.0.113.9:41000"],
    expected: "punched",
  },
  reply: {
    event: "reply",
    client: "k3n9",
    addresses: ["203.0.113.9:41000"],
    expected: "punched",
  },
  network: {
    event: "network",
    mapping: "endpoint_independent",
    reflexive: ["203.0.113.5:41000"],
    stun: "answered",
  },
  path: {
    event: "path",
    session: 1,
    address: "198.51.100.4:5000",
    family: 4,
    route: "internet",
    method: "punched",
    rttMs: 82.4,
  },
  reconnecting: {
    event: "reconnecting",
    session: 1,
    addresses: ["198.51.100.4:5000"],
    bytesDone: 12_300_000,
    bytesTotal: 50_200_000,
    timeoutMs: 600_000,
  },
  pathLost: { event: "path-lost", session: 1, silentMs: 3040 },
  connecting: { event: "connecting", addresses: ["192.0.2.7:4000"] },
  connected: {
    event: "connected",
    session: 1,
    address: "198.51.100.4:5000",
    route: "internet",
    rttMs: 12.3,
    acceleration: "turbo",
  },
  offer: {
    event: "offer",
    session: 1,
    items: 12,
    files: 10,
    directories: 2,
    links: 0,
    texts: 0,
    bytes: 50_200_000,
    names: ["photos", "notes.txt"],
    newItems: 10,
    sameItems: 0,
    differItems: 0,
    partlyItems: 0,
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
    route: "internet",
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

/** What `doctor` finds behind a usual home router. */
export const DOCTOR_REPORT: DoctorReport = {
  version: "0.1.0",
  runtime: { deno: "2.9.6", os: "linux", arch: "x86_64" },
  permissions: {
    net: "granted",
    read: "prompt",
    write: "denied",
    sys: "granted",
    env: "prompt",
    ffi: "prompt",
    "unstable-net": "granted",
  },
  sockets: {
    kind: "deno",
    families: [4, 6],
    ports: [41_000, 41_001],
    path: "base",
    hopLimit: false,
  },
  cipher: "node:crypto",
  interfaces: [{ name: "wlan0", family: 4, address: "192.168.1.5" }],
  network: {
    mapping: "endpoint_independent",
    filtering: "address_and_port_dependent",
    portPattern: "preserving",
    hairpin: false,
    lifetimeMs: 120_000,
    doubleNat: "unknown",
    reflexive: ["203.0.113.5:41000", "203.0.113.5:41001"],
    stun: "answered",
    servers: [
      { server: "stun.example.org:3478", outcome: "answered", rttMs: 24.4 },
      { server: "stun.example.net:3478", outcome: "silent" },
    ],
  },
  portMapping: {
    outcomes: { pcp: "silent", "nat-pmp": "silent", upnp: "refused (718 ConflictInMappingEntry)" },
  },
  ipv6: { global: false },
  conclusion: [
    { other: "public", method: "direct", oneCode: "receiving" },
    { other: "easy_router", method: "punched", oneCode: "never" },
    { other: "stepping_router", method: "predicted", oneCode: "never" },
    { other: "random_router", method: "birthday", oneCode: "never" },
  ],
  advice: ["Turn on UPnP in the router: then even hard networks are reached at once."],
};
