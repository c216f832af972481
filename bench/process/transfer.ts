/**
 * One measured transfer between two whole processes of the program, directly over loopback or
 * through the user-space link emulator in a third. The clock runs from just before the receiver's
 * process is started until it has ended; then the files are compared byte by byte.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ALL_FLAGS, CliProcess } from "../../tests/support/cli_process.ts";
import type { EmulatedLinkStatistics } from "../../tests/support/emulated_link.ts";
import { codeFor, readCode } from "../../tests/support/share_codes.ts";
import { assertSameTree } from "../../tests/support/tree.ts";
import { bufferDrops, type ProcessUsage, UsageWatch } from "./process_usage.ts";
import { writeOut } from "./workload.ts";

const LOOPBACK = "127.0.0.1";
const LIMIT_MS = 1_800_000;
const EMULATOR = fileURLToPath(new URL("../../tests/support/link_emulator.ts", import.meta.url));

/** What to measure. */
export interface TransferOptions {
  /** The one thing in its folder. */
  readonly source: string;
  /** A folder for everything that is written, empty before and after. */
  readonly scratch: string;
  /** Arguments of the link emulator; without them the two sides talk directly. */
  readonly link?: readonly string[];
  /** Writes a processor profile of each side here, `sender/` and `receiver/`. */
  readonly profileFolder?: string;
}

/** What was measured. */
export interface TransferMeasurement {
  /** From the start of the receiver's process to its exit. */
  readonly wallMs: number;
  /** How much of that passed before the receiver said that it is connected. */
  readonly connectedAfterMs: number;
  readonly sender?: ProcessUsage;
  readonly receiver?: ProcessUsage;
  /** Datagrams that the kernel dropped meanwhile on full receive buffers, of all processes. */
  readonly bufferDrops?: number;
  /** Of the link emulator at the end. */
  readonly link?: EmulatedLinkStatistics;
}

/** Sends `source` once. */
export async function measureTransfer(options: TransferOptions): Promise<TransferMeasurement> {
  const target = join(options.scratch, "received");
  try {
    const measurement = await measure(options, target);
    await assertSameTree(target, join(options.source, ".."));
    return measurement;
  } finally {
    await Deno.remove(target, { recursive: true }).catch((error) => {
      // Not made yet when something failed early.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    await writeOut();
  }
}

async function measure(options: TransferOptions, target: string): Promise<TransferMeasurement> {
  await using sender = new CliProcess([
    "send",
    "--yes",
    "--allow-loopback",
    "--no-local-addresses",
    "--address",
    LOOPBACK,
    "--bind",
    `${LOOPBACK}:0`,
    options.source,
  ], { flags: flagsFor("sender", options) });
  const [ownCode] = await sender.output(/^p2p1\S+/m);
  await using link = options.link === undefined
    ? undefined
    : await EmulatorProcess.start(ownCode, options.link);
  const code = link?.code ?? ownCode;
  using senderWatch = new UsageWatch(sender.pid);

  const dropsBefore = bufferDrops();
  const start = performance.now();
  // The code goes in the environment, as people are told to do on shared machines.
  await using receiver = new CliProcess(
    ["receive", "--yes", "--allow-loopback", "--no-local-addresses", "--output", target],
    { flags: flagsFor("receiver", options), env: { P2PFT_CODE: code } },
  );
  using receiverWatch = new UsageWatch(receiver.pid);
  await receiver.errorOutput(/^Connected to /m);
  const connectedAfterMs = performance.now() - start;
  await receiver.expectExit(0, LIMIT_MS);
  const wallMs = performance.now() - start;

  await sender.expectExit(0);
  const dropsAfter = bufferDrops();
  return {
    wallMs,
    connectedAfterMs,
    ...(senderWatch.last === undefined ? {} : { sender: senderWatch.last }),
    ...(receiverWatch.last === undefined ? {} : { receiver: receiverWatch.last }),
    ...(dropsBefore === undefined || dropsAfter === undefined
      ? {}
      : { bufferDrops: dropsAfter - dropsBefore }),
    ...(link === undefined ? {} : { link: await link.stop() }),
  };
}

function flagsFor(side: "sender" | "receiver", options: TransferOptions): string[] {
  const { profileFolder } = options;
  return profileFolder === undefined
    ? [...ALL_FLAGS]
    : [...ALL_FLAGS, "--cpu-prof", `--cpu-prof-dir=${join(profileFolder, side)}`];
}

/** The link emulator in a process of its own, so that it takes no time from what is measured. */
class EmulatorProcess implements AsyncDisposable {
  /** The sender's code with the emulator's address in place of its own. */
  readonly code: string;
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Deno.ChildProcess, lines: AsyncIterator<string>, code: string) {
    this.#child = child;
    this.#lines = lines;
    this.code = code;
  }

  static async start(senderCode: string, args: readonly string[]): Promise<EmulatorProcess> {
    const { t, candidates } = readCode(senderCode);
    const { host, port } = candidates[0]!.address;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...ALL_FLAGS, EMULATOR, "--json", "--target", `${host}:${port}`, ...args],
      stdin: "null",
      stdout: "piped",
    }).spawn();
    const lines = readLines(child.stdout);
    const ready = JSON.parse((await lines.next()).value!);
    const code = codeFor(t, { family: 4, host: LOOPBACK, port: ready.port });
    return new EmulatorProcess(child, lines, code);
  }

  /** Ends it and gives its statistics. */
  async stop(): Promise<EmulatedLinkStatistics> {
    this.#child.kill("SIGTERM");
    const statistics = JSON.parse((await this.#lines.next()).value!);
    await this.#child.status;
    return statistics;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError)) throw error;
    }
    await this.#child.status;
    await this.#lines.return?.();
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
