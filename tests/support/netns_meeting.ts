/**
 * Two processes of the program on two hosts, from the code on one screen to the path between them:
 * what people do with the codes, a test does here.
 */
import type { PathEvent, WarningEvent } from "../../lib/events.ts";
import { CliProcess } from "./cli_process.ts";
import type { Host } from "./internet.ts";

/** Longest wait for a path: the sharer has looked for its client twice by then. */
const PATH_LIMIT_MS = 75_000;

/** What differs from a plain meeting. */
export interface MeetingOptions {
  /** STUN servers, as `--stun` takes them. */
  readonly stun: readonly string[];
  /** What to send. */
  readonly path: string;
  /** Where to receive into. */
  readonly directory: string;
  /** Further words of both command lines. */
  readonly args?: readonly string[];
}

function isMiss({ code }: WarningEvent): boolean {
  return code === "client_not_found";
}

/** Two processes that have found each other. */
export interface Met {
  /** How the sharer has it. */
  readonly sharerPath: PathEvent;
  /** How the client has it. */
  readonly clientPath: PathEvent;
  /** Whether a reply code was needed. */
  readonly isReplied: boolean;
  /** From what the person did last (started the client, or pasted its code) to the client's path. */
  readonly connectMs: number;
}

/** A sharer and a client, for `await using`. */
export class Meeting implements AsyncDisposable {
  readonly sender: CliProcess;
  readonly #clientHost: Host;
  readonly #options: MeetingOptions;
  #receiver: CliProcess | undefined;

  /** Starts the sharer. */
  constructor(sharerHost: Host, clientHost: Host, options: MeetingOptions) {
    this.#clientHost = clientHost;
    this.#options = options;
    this.sender = new CliProcess(["send", ...this.#words(), "--", options.path], {
      wrapper: sharerHost.namespace.wrapper,
    });
  }

  /** The client, once its process was started. */
  get receiver(): CliProcess {
    if (this.#receiver === undefined) throw new Error("The client was not started");
    return this.#receiver;
  }

  /** Starts the client with the sharer's code. */
  async startReceiver(): Promise<void> {
    const { code } = await this.sender.event("code");
    const words = ["receive", ...this.#words(), "--output", this.#options.directory, code];
    this.#receiver = new CliProcess(words, { wrapper: this.#clientHost.namespace.wrapper });
  }

  /** Starts the client and waits until both have a path; a reply code is pasted when one comes. */
  async meet(): Promise<Met> {
    await this.startReceiver();
    let startMs = performance.now();
    let isReplied = false;
    const pathFound = this.receiver.event("path", () => true, PATH_LIMIT_MS);
    const codeShown = this.receiver.event("reply-code");
    // Whichever does not come fails when the process ends; what decides is looked at below.
    codeShown.catch(() => {});
    const first = await Promise.race([pathFound, codeShown.catch(() => pathFound)]);
    if (first.event === "reply-code") {
      isReplied = true;
      startMs = performance.now();
      await this.sender.type(first.code);
      // One meeting in fifty by the birthday method fails by its nature: people paste again then.
      const missed = this.sender.event("warning", isMiss, PATH_LIMIT_MS).catch(() => undefined);
      if ("code" in (await Promise.race([pathFound, missed]) ?? {})) {
        startMs = performance.now();
        await this.sender.type(first.code);
      }
    }
    const clientPath = await pathFound;
    const connectMs = performance.now() - startMs;
    const sharerPath = await this.sender.event("path", () => true, PATH_LIMIT_MS);
    return { sharerPath, clientPath, isReplied, connectMs };
  }

  /** Waits until all has arrived and both have ended well. */
  async finish(): Promise<void> {
    await this.receiver.expectExit(0);
    await this.sender.expectExit(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver?.[Symbol.asyncDispose]();
    await this.sender[Symbol.asyncDispose]();
  }

  #words(): string[] {
    const servers = this.#options.stun.flatMap((server) => ["--stun", server]);
    const { args = [] } = this.#options;
    return [
      "--json",
      "--yes",
      "--no-portmap",
      ...(servers.length > 0 ? servers : ["--stun", "none"]),
      ...args,
    ];
  }
}
