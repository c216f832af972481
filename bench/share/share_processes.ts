/** A sharer and its clients as real processes, and what is asked of them. */
import { cpuSecondsOf, residentBytesOf } from "../process/process_usage.ts";
import { JsonProcess } from "../reliability/json_process.ts";
import type {
  ClientsManner,
  ClientsOrder,
  ClientsSaid,
  CountSaid,
  JoinerSaid,
  SharerOrder,
  SharerSaid,
} from "./words.ts";

/** The answers of a process, in the order in which they come. */
class Answers<Said> {
  readonly #waiting: Said[] = [];
  #wake: (() => void) | undefined;

  /** Takes what the process says. */
  readonly add = (said: Said): void => {
    this.#waiting.push(said);
    this.#wake?.();
  };

  /** The next answer. */
  async next(): Promise<Said> {
    while (this.#waiting.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#waiting.shift()!;
  }
}

/** A running share. */
export class SharerProcess implements AsyncDisposable {
  /** Its code. */
  code = "";
  readonly #answers = new Answers<SharerSaid>();
  readonly #process: JsonProcess<SharerSaid>;

  private constructor(path: string, flags: readonly string[]) {
    this.#process = new JsonProcess("../share/_sharer_main.ts", [path], this.#answers.add, flags);
  }

  /**
   * Starts it.
   *
   * @param path What is shared.
   * @param flags Told to the runtime.
   */
  static async start(path: string, flags: readonly string[] = []): Promise<SharerProcess> {
    const sharer = new SharerProcess(path, ["--v8-flags=--expose-gc", ...flags]);
    sharer.code = ((await sharer.#answers.next()) as { code: string }).code;
    return sharer;
  }

  /** Processor time of all its threads, s. */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid);
  }

  /** Its resident memory now, bytes. */
  get residentBytes(): number {
    return residentBytesOf(this.#process.pid);
  }

  /** Objects and buffers in use, bytes. */
  async usedBytes(): Promise<number> {
    const order: SharerOrder = { ask: "memory" };
    await this.#process.say(order);
    return ((await this.#answers.next()) as { usedBytes: number }).usedBytes;
  }

  /** Pastes a reply code. */
  async paste(reply: string): Promise<void> {
    const order: SharerOrder = { reply };
    await this.#process.say(order);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

/** Light clients, together in one process. */
export class ClientsProcess implements AsyncDisposable {
  readonly #answers = new Answers<ClientsSaid>();
  readonly #process = new JsonProcess<ClientsSaid>(
    "../share/_clients_main.ts",
    [],
    this.#answers.add,
  );

  /**
   * Connects so many more; each has got its first byte then.
   *
   * @param how They behave.
   */
  async connect(code: string, count: number, how: ClientsManner = "greedy"): Promise<void> {
    const order: ClientsOrder = { connect: count, code, how };
    await this.#process.say(order);
    await this.#answers.next();
  }

  /** What has come so far. */
  async count(): Promise<CountSaid> {
    const order: ClientsOrder = { ask: "count" };
    await this.#process.say(order);
    return await this.#answers.next() as CountSaid;
  }

  /** Processor time of all its threads, s. */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid);
  }

  /** Ends it without a word. */
  kill(): void {
    this.#process.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

/**
 * Lets somebody who cannot get through join by a reply code.
 *
 * @param deadCode A code of the share with an address in it where nobody is.
 * @returns From the moment at which the reply code is pasted until its first file is there, ms.
 */
export async function joinByReply(sharer: SharerProcess, deadCode: string): Promise<number> {
  const answers = new Answers<JoinerSaid>();
  await using _joiner = new JsonProcess<JoinerSaid>(
    "../share/_joiner_main.ts",
    [deadCode],
    answers.add,
  );
  const { replyCode } = await answers.next() as { replyCode: string };
  const pastedAtMs = performance.timeOrigin + performance.now();
  await sharer.paste(replyCode);
  const { firstByteAtMs } = await answers.next() as { firstByteAtMs: number };
  return firstByteAtMs - pastedAtMs;
}
