/**
 * What reading costs a share with several clients, without a network: real sessions over channels that
 * take what they get at once, and a real disk.
 *
 *     deno run -A --v8-flags=--expose-gc bench/share/reading.ts [--lag MIB] [--check] [FOLDER]
 *
 * `FOLDER` is where the files are made (default: a temporary folder). `--lag` lets each client begin
 * when the one before it has so many MiB; `--check` asks for hashes only. Printed for 1, 4 and 16
 * clients: bytes read and hashed for each byte of the share, processor seconds for each GB that the
 * clients got, and the memory that grew meanwhile.
 */
import { parseArgs } from "node:util";
import { join } from "node:path";
import process from "node:process";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import type { Channel, OutgoingBlock } from "../../lib/protocol/channel.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import type { SourceFile, WholeRead } from "../../lib/storage/storage.ts";
import { MessageOutbox, MessageReader } from "../../lib/transfer/message_stream.ts";
import { decodeMessage } from "../../lib/transfer/message_decoder.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { type Message, TRANSFER_VERSION } from "../../lib/transfer/messages.ts";
import { buildManifest, type Manifest } from "../../lib/transfer/offer/manifest.ts";
import { SharedReading } from "../../lib/transfer/sending/shared_reading.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";

const MIB = 1_048_576;
const LARGE_BYTES = 1024 * MIB;
const SMALL_FILES = 10_000;
const SMALL_BYTES = 4096;
const CLIENTS = [1, 4, 16];
/** What a channel holds before it is full, and takes in one turn of the program. */
const QUEUE_BYTES = 4 * MIB;
const TURN_BYTES = MIB;
/** Requests of a client that are open at a time. */
const OPEN_REQUESTS = 1024;

/** A disk that counts what is read of it. */
class CountingStorage extends DenoStorage {
  readBytes = 0;

  override readWhole(path: string, into: Uint8Array): WholeRead | Promise<WholeRead> {
    this.readBytes += into.length;
    return super.readWhole(path, into);
  }

  override async openSource(path: string): Promise<SourceFile> {
    const source = await super.openSource(path);
    return {
      info: source.info,
      read: (offset, into) => {
        this.readBytes += into.length;
        return source.read(offset, into);
      },
      inspect: () => source.inspect(),
      close: () => source.close(),
    };
  }
}

/** A channel whose other side takes everything, and the client at that other side. */
class Client implements Channel {
  readonly controlQueuedBytes = 0;
  readonly blockAckedBytes = 0;
  readonly blockQueueTargetBytes = QUEUE_BYTES;
  blockQueuedBytes = 0;
  takenBytes = 0;
  /** Resolves when every request was answered. */
  readonly done: Promise<void>;
  readonly #exchange: SharerExchange;
  readonly #entries: readonly number[];
  readonly #isCheck: boolean;
  readonly #blocks: OutgoingBlock[] = [];
  readonly #outbox = new MessageOutbox();
  readonly #reader = new MessageReader((type, body) =>
    this.#handle(decodeMessage(type, body, MIB) as Message)
  );
  #resolve!: () => void;
  #asked = 0;
  #answered = 0;
  #onTaken = () => {};

  constructor(reading: SharedReading, isCheck: boolean) {
    const { manifest } = reading;
    this.done = new Promise((resolve) => this.#resolve = resolve);
    this.#isCheck = isCheck;
    this.#entries = manifest.entries.flatMap(({ kind }, index) => kind === "file" ? [index] : []);
    this.#exchange = new SharerExchange({
      channel: this,
      storage: reading.storage,
      manifest,
      reading,
      crypto: counting,
      clientHello: encodeHello({ version: TRANSFER_VERSION, features: 0, text: "" }),
      onEvent: () => {},
    });
  }

  /** Begins to take everything; resolves when the client has the first so many bytes. */
  async start(bytes: number): Promise<void> {
    const far = new Promise<void>((resolve) => {
      this.#onTaken = () => this.takenBytes >= bytes ? resolve() : undefined;
    });
    this.#exchange.start();
    this.#ask();
    this.#take();
    await Promise.race([far, this.done]);
  }

  sendControl(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  sendBlock(block: OutgoingBlock): void {
    this.#blocks.push(block);
    this.blockQueuedBytes += block.bytes.length;
  }

  consumeBlockBytes(): void {}

  close(_code: number, reason: string): void {
    if (this.#answered < this.#entries.length) throw new Error(`ended early: ${reason}`);
  }

  /** Ends the session. */
  async end(): Promise<void> {
    this.#exchange.handleClosed();
    await this.#exchange.finished;
  }

  #handle(message: Message): void {
    if (message.type !== "root") return;
    if (message.status !== "whole" && message.status !== "hashed") throw new Error(message.status);
    this.#answered++;
    if (this.#answered === this.#entries.length) this.#resolve();
    else if (this.#asked - this.#answered < OPEN_REQUESTS / 2) queueMicrotask(() => this.#ask());
  }

  #ask(): void {
    const end = Math.min(this.#answered + OPEN_REQUESTS, this.#entries.length);
    const entries = this.#entries.slice(this.#asked, end);
    if (entries.length === 0) return;
    const firstRequest = this.#asked;
    this.#asked = end;
    this.#outbox.add(
      this.#isCheck
        ? { type: "check", firstRequest, entries }
        : { type: "get", firstRequest, items: entries.map((entry) => ({ entry, ranges: [] })) },
    );
    this.#exchange.handleControl(this.#outbox.take());
  }

  #take(): void {
    let bytes = 0;
    for (let block = this.#blocks[0]; block !== undefined; block = this.#blocks[0]) {
      if (bytes >= TURN_BYTES) break;
      this.#blocks.shift();
      bytes += block.bytes.length;
      this.blockQueuedBytes -= block.bytes.length;
      this.#exchange.handleBlockReleased(block);
    }
    this.takenBytes += bytes;
    this.#onTaken();
    this.#exchange.handleWritable();
    if (this.#answered < this.#entries.length || this.#blocks.length > 0) {
      setTimeout(() => this.#take(), 0);
    }
  }
}

let hashedBytes = 0;
const counting = {
  ...nodeProvider,
  sha256: (...parts: Uint8Array[]) => {
    for (const part of parts) hashedBytes += part.length;
    return nodeProvider.sha256(...parts);
  },
};

async function measure(manifest: Manifest, clients: number, lagMib: number, isCheck: boolean) {
  const storage = new CountingStorage();
  const reading = new SharedReading({ storage, manifest, crypto: counting });
  hashedBytes = 0;
  (globalThis as { gc?: () => void }).gc?.();
  const memory = () => Deno.memoryUsage().rss;
  const memoryBefore = memory();
  let peak = memoryBefore;
  const watch = setInterval(() => peak = Math.max(peak, memory()), 20);
  const all: Client[] = [];
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  for (let index = 0; index < clients; index++) {
    const client = new Client(reading, isCheck);
    all.push(client);
    await client.start(index === clients - 1 ? 0 : lagMib * MIB);
  }
  await Promise.all(all.map(({ done }) => done));
  const seconds = (performance.now() - startMs) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await Promise.all(all.map((client) => client.end()));
  clearInterval(watch);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  const gigabytes = clients * manifest.bytes / 1e9;
  print(
    `${String(clients).padStart(3)} clients: read ${
      (storage.readBytes / manifest.bytes).toFixed(2)
    }×, ` +
      `hashed ${(hashedBytes / manifest.bytes).toFixed(2)}×, ${
        (cpuSeconds / gigabytes).toFixed(2)
      } s/GB, ` +
      `${(gigabytes * 1000 / seconds).toFixed(0)} MB/s, +${
        ((peak - memoryBefore) / MIB).toFixed(0)
      } MiB`,
  );
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

async function makeFiles(folder: string): Promise<void> {
  const bytes = new Uint8Array(MIB);
  using large = await Deno.create(join(folder, "large"));
  for (let at = 0; at < LARGE_BYTES; at += MIB) {
    crypto.getRandomValues(bytes.subarray(0, 65_536));
    await large.write(bytes);
  }
  await Deno.mkdir(join(folder, "small"));
  for (let index = 0; index < SMALL_FILES; index++) {
    crypto.getRandomValues(bytes.subarray(0, SMALL_BYTES));
    await Deno.writeFile(join(folder, "small", `${index}`), bytes.subarray(0, SMALL_BYTES));
  }
}

const { values, positionals } = parseArgs({
  args: Deno.args,
  options: { lag: { type: "string", default: "0" }, check: { type: "boolean", default: false } },
  allowPositionals: true,
});
const given = positionals[0];
const folder = given ?? await Deno.makeTempDir();
try {
  if (given === undefined) await makeFiles(folder);
  for (const name of ["large", "small"]) {
    const manifest = await buildManifest(new DenoStorage(), [join(folder, name)], {
      onWarning: () => {},
    });
    print(`${name}: ${manifest.files} files, ${manifest.bytes} bytes`);
    for (const clients of CLIENTS) {
      await measure(manifest, clients, Number(values.lag), values.check);
    }
  }
} finally {
  if (given === undefined) await Deno.remove(folder, { recursive: true });
}
