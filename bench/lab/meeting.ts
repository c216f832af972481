/**
 * One meeting of two processes of the program in a laboratory: a share, a receive, the reply code
 * pasted when there is one, and how long it took until the receiver had a connection.
 */
import { CliProcess, type JsonEvent } from "../../tests/support/cli_process.ts";
import { type Laboratory, STUN_SERVERS } from "./laboratory.ts";

/** Who meets whom. */
export interface Meeting {
  /** Host that shares. */
  readonly sender: string;
  /** Host that receives. */
  readonly receiver: string;
  /** What is shared. */
  readonly file: string;
  /** Where it goes: an empty folder. */
  readonly into: string;
  /** Further arguments of both. */
  readonly args?: readonly string[];
  /** How long to look for each other after the paste, ms. */
  readonly limitMs: number;
  /** Pause between the reply code and its paste, ms: a person is not instant. */
  readonly pasteAfterMs: number;
  /** Called when a transfer runs. */
  readonly duringTransfer?: () => Promise<void>;
}

/** How a meeting went. */
export interface Outcome {
  /** Whether the file arrived. */
  readonly isDone: boolean;
  /** Whether a reply code was needed. */
  readonly wasPasted: boolean;
  /** From the paste (without one: from the start of the receiver) to its connection, ms. */
  readonly connectMs: number;
  /** How the path was made, or the code of the error that ended it. */
  readonly how: string;
  /** From the start of the receiver to that error, ms. */
  readonly failedAfterMs: number;
  /** The longest time without progress during the transfer, ms. */
  readonly stallMs: number;
  /** Bytes a second of the transfer. */
  readonly rateBytesPerSecond: number;
}

function isEndOfSearch({ event }: JsonEvent): boolean {
  return event === "connected" || event === "error";
}

/** Lets two processes meet. */
export async function meet(laboratory: Laboratory, meeting: Meeting): Promise<Outcome> {
  const { limitMs } = meeting;
  const common = [
    "--json",
    "--yes",
    ...STUN_SERVERS.flatMap((server) => ["--stun", server]),
    ...meeting.args ?? [],
  ];
  await using sender = new CliProcess(["send", meeting.file, ...common], {
    wrapper: laboratory.inside(meeting.sender),
  });
  const { code } = await sender.event("code");
  const startedAt = performance.now();
  await using receiver = new CliProcess(["receive", code, "-o", meeting.into, ...common], {
    wrapper: laboratory.inside(meeting.receiver),
  });
  const events = new Timed(receiver);
  const first = await events.next(
    (event) => event.event === "reply-code" || isEndOfSearch(event),
    limitMs,
  );
  let since = startedAt;
  const wasPasted = first?.event === "reply-code";
  if (wasPasted) {
    await new Promise((resolve) => setTimeout(resolve, meeting.pasteAfterMs));
    since = performance.now();
    await sender.type((first as JsonEvent & { event: "reply-code" }).code);
  }
  const next = wasPasted ? await events.next(isEndOfSearch, limitMs) : first;
  const reachedAt = performance.now();
  if (next?.event !== "connected") {
    return {
      isDone: false,
      wasPasted,
      connectMs: Infinity,
      how: next?.event === "error" ? next.code : "no connection",
      failedAfterMs: reachedAt - startedAt,
      stallMs: 0,
      rateBytesPerSecond: 0,
    };
  }
  const path = await events.next((event) => event.event === "path", limitMs);
  if (meeting.duringTransfer) {
    await events.next((event) => event.event === "progress" && event.bytesDone > 0, limitMs);
    await meeting.duringTransfer();
  }
  const stall = new StallMeter(receiver);
  const last = await events.next(
    (event) => event.event === "done" || event.event === "error",
    120_000,
  );
  const stallMs = stall.stop();
  return {
    isDone: last?.event === "done",
    wasPasted,
    connectMs: reachedAt - since,
    how: last === undefined
      ? "no end"
      : last.event === "error"
      ? last.code
      : path?.event === "path"
      ? path.method
      : "no path event",
    failedAfterMs: 0,
    stallMs,
    rateBytesPerSecond: last?.event === "done" ? last.rateBytesPerSecond : 0,
  };
}

const LOOK_EVERY_MS = 5;

/** Events of a process, in order, with a limit on the wait for each. */
class Timed {
  readonly #process: CliProcess;
  #index = 0;

  constructor(process: CliProcess) {
    this.#process = process;
  }

  /** The next event that fits; undefined when none came in time. */
  async next(
    fits: (event: JsonEvent) => boolean,
    limitMs: number,
  ): Promise<JsonEvent | undefined> {
    const deadline = performance.now() + limitMs;
    while (performance.now() < deadline) {
      const { events } = this.#process;
      while (this.#index < events.length) {
        const event = events[this.#index++]!;
        if (fits(event)) return event;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return undefined;
  }
}

/** Finds the longest time in which a receiver reports no new bytes. */
class StallMeter {
  readonly #process: CliProcess;
  readonly #timer: ReturnType<typeof setInterval>;
  #bytes = -1;
  #since = performance.now();
  #longest = 0;

  constructor(process: CliProcess) {
    this.#process = process;
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): number {
    clearInterval(this.#timer);
    return this.#longest;
  }

  #look(): void {
    const { events } = this.#process;
    const last = events.findLast((event) => event.event === "progress" || event.event === "done");
    const bytes = last?.event === "progress" ? last.bytesDone : last ? Infinity : 0;
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#since);
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#since = now;
  }
}
