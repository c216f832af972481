/** Verifying files on this machine against a manifest, long after they were received. */
import { dirname } from "node:path";
import { asTransferError } from "./operation/connection_error.ts";
import { ERRORS, TransferError } from "./errors.ts";
import { EventQueue } from "./operation/event_queue.ts";
import type { TransferEvent, VerifiedEvent } from "./events.ts";
import { errorEvent } from "./operation/operation.ts";
import type { VerifyOptions } from "./options.ts";
import { ProgressTicker } from "./operation/progress_ticker.ts";
import { selectSystemProvider } from "./operation/system_provider.ts";
import type { Instant } from "./time.ts";
import type { ManifestFile } from "./checksums/checksum_manifest.ts";
import { DenoStorage } from "./storage/deno_storage.ts";
import { FileDigester } from "./checksums/file_digests.ts";
import { checkFile, type Finding } from "./checksums/manifest_check.ts";
import { readManifestFile } from "./checksums/manifest_file.ts";
import { selectFiles, type Selection } from "./checksums/manifest_selection.ts";
import type { NamePlace } from "./transfer/names.ts";
import { type Storage, StorageError } from "./storage/storage.ts";
import { type Clock, systemClock } from "./transport/clock.ts";

/** There is one run of it, as a receive has one session. */
const SESSION = 1;

/** A verification under way: an iteration of its events, once. */
export interface Verify extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** Ends it. */
  close(): Promise<void>;
}

/**
 * Reads files back and compares them with a manifest: one that `receive` wrote with
 * {@linkcode ReceiveOptions.manifest}, or any that `sha256sum` wrote. Files that are not in the
 * manifest are not looked at. The events are `progress`, `file-done` for each file that is as it
 * should be, a `warning` for each that is not, and `verified` at the end; failures are the last
 * event (`error`), not exceptions.
 *
 * @example Read a folder back that was received earlier
 * ```ts ignore
 * for await (const event of verify([], { manifest: "inbox/SHA256SUMS" })) {
 *   if (event.event === "warning") console.log(event.code, event.path);
 *   if (event.event === "verified") console.log(event.good, "of", event.files);
 * }
 * ```
 *
 * @param paths Folders and files of the manifest, or other folders to look for all of its files in;
 *   none for all of them in the folder that the manifest lies in.
 */
export function verify(paths: readonly string[], options: VerifyOptions): Verify {
  return new RunningVerify(paths, options);
}

/** What was found, by kind. */
type Counts = Record<Finding["kind"], number>;

class RunningVerify implements Verify {
  readonly #events = new EventQueue<TransferEvent>({
    subjectOf: () => 0,
    isReplaceable: (earlier, later) => earlier.event === "progress" && later.event === "progress",
  });
  readonly #options: VerifyOptions;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  readonly #signal: AbortSignal;
  readonly #startedAt: Instant;
  readonly #counts: Counts = {
    good: 0,
    missing: 0,
    damaged: 0,
    resized: 0,
    replaced: 0,
    unreadable: 0,
    unsafe_name: 0,
  };
  readonly #ended: Promise<void>;
  /** What each file adds to the total, in the order of work. */
  readonly #expectedBytes: number[] = [];
  #bytesRead = 0;
  #bytesTotal = 0;
  #filesDone = 0;
  #filesTotal = 0;
  #currentFile = "";

  constructor(paths: readonly string[], options: VerifyOptions) {
    this.#options = options;
    this.#storage = options.storage ?? new DenoStorage();
    this.#clock = options.clock ?? systemClock;
    const signals = options.signal ? [options.signal] : [];
    this.#signal = AbortSignal.any([this.#closed.signal, ...signals]);
    this.#startedAt = this.#clock.now();
    this.#ended = this.#run(paths);
  }

  /** The events, in order; iterate once. */
  [Symbol.asyncIterator](): AsyncIterator<TransferEvent> {
    return this.#events;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(paths: readonly string[]): Promise<void> {
    try {
      this.#events.push(await this.#verify(paths));
    } catch (error) {
      const wanted = this.#signal.aborted
        ? new TransferError("interrupted", "Interrupted", { hint: "Run the same command again" })
        : error instanceof StorageError
        ? storageTrouble(error)
        : asTransferError(error);
      this.#events.push(errorEvent(wanted, { fatal: true }));
    }
    this.#events.end();
  }

  async #verify(paths: readonly string[]): Promise<VerifiedEvent> {
    const storage = this.#storage;
    const { manifest } = this.#options;
    const files = await readManifestFile(storage, manifest, this.#signal);
    const folder = dirname(manifest);
    const selections = await selectFiles(storage, { files, manifest, folder, paths });
    const digester = new FileDigester({
      storage,
      crypto: await selectSystemProvider(),
      onBytes: (count) => this.#bytesRead += count,
      signal: this.#signal,
    });
    await this.#addUp(selections);
    const ticker = new ProgressTicker(
      this.#clock,
      () => ({
        bytesDone: this.#bytesRead,
        bytesTotal: this.#bytesTotal,
        itemsDone: this.#filesDone,
        itemsTotal: this.#filesTotal,
        file: this.#currentFile,
      }),
      (progress) => this.#events.push({ ...progress, session: SESSION }),
    );
    try {
      for (const { files: selected, placeOf } of selections) {
        for (const file of selected) {
          this.#signal.throwIfAborted();
          this.#currentFile = file.path;
          const readBefore = this.#bytesRead;
          this.#tell(file, await checkFile({ storage, digester }, file, placeOf(file)));
          // What was not there to be read is not waited for either.
          const read = this.#bytesRead - readBefore;
          this.#bytesTotal += read - this.#expectedBytes[this.#filesDone]!;
          this.#filesDone++;
        }
      }
    } finally {
      ticker.stop();
    }
    return this.#result();
  }

  /** Finds out how much there is to do; ordinary manifests do not say it. */
  async #addUp(selections: readonly Selection[]): Promise<void> {
    for (const { files, placeOf } of selections) {
      this.#filesTotal += files.length;
      for (const file of files) {
        this.#signal.throwIfAborted();
        const bytes = file.sizeBytes ?? await this.#sizeOf(placeOf(file));
        this.#expectedBytes.push(bytes);
        this.#bytesTotal += bytes;
      }
    }
  }

  async #sizeOf(place: NamePlace): Promise<number> {
    if ("refusal" in place) return 0;
    try {
      return (await this.#storage.inspect(place.path))?.sizeBytes ?? 0;
    } catch (error) {
      // Told when it is its turn.
      if (error instanceof StorageError) return 0;
      throw error;
    }
  }

  #tell(file: ManifestFile, finding: Finding): void {
    this.#counts[finding.kind]++;
    const { path } = file;
    if (finding.kind === "good") {
      const { sizeBytes: bytes, root } = finding;
      this.#events.push({ event: "file-done", session: SESSION, path, bytes, root });
    } else {
      const { kind: code, message } = finding;
      this.#events.push({ event: "warning", session: SESSION, code, path, message });
    }
  }

  #result(): VerifiedEvent {
    const { good, missing, damaged, resized, replaced, unreadable, unsafe_name } = this.#counts;
    const elapsedMs = this.#clock.now() - this.#startedAt;
    const isDamaged = missing + damaged + resized + replaced > 0;
    return {
      event: "verified",
      files: this.#filesTotal,
      bytes: this.#bytesRead,
      good,
      missing,
      damaged: damaged + resized + replaced,
      unreadable,
      refused: unsafe_name,
      elapsedMs: Math.round(elapsedMs),
      rateBytesPerSecond: Math.round(this.#bytesRead / Math.max(elapsedMs, 1) * 1000),
      exit: isDamaged
        ? ERRORS.integrity.exit
        : unreadable > 0
        ? ERRORS.read_failed.exit
        : unsafe_name > 0
        ? ERRORS.unsafe_name.exit
        : 0,
    };
  }
}

function storageTrouble(error: StorageError): TransferError {
  const { message } = error;
  if (error.kind !== "permission_missing") {
    return new TransferError("read_failed", message, { cause: error });
  }
  const hint = "Run with --allow-read for the manifest and the paths, and for what links lead to";
  return new TransferError("permission_missing", message, { cause: error, hint });
}
