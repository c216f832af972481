/**
 * What a receive does about its manifest: looks before the transfer whether it can be written, takes
 * note of what comes into its place, reads it back at the end, and tells how far that is.
 */
import { dirname } from "node:path";
import type { CryptoProvider } from "../crypto/provider.ts";
import type { TransferEvent } from "../events.ts";
import type { ReceiveOptions } from "../options.ts";
import { ProgressTicker } from "../operation/progress_ticker.ts";
import { DenoStorage } from "../storage/deno_storage.ts";
import { ManifestWriter } from "../checksums/manifest_writer.ts";
import type { PlannedEntry } from "../transfer/receiving/plan.ts";
import { transferError } from "../transfer/transfer_error.ts";
import type { Clock } from "../transport/clock.ts";

/** What a {@linkcode ReceivedManifest} works with. */
export interface ReceivedManifestOptions {
  /** The options of the receive. */
  readonly options: ReceiveOptions & { readonly manifest: string };
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  /** A receive has one session. */
  readonly session: number;
  /** Takes events. */
  readonly emit: (event: TransferEvent) => void;
}

/** The manifest of one receive. */
export class ReceivedManifest {
  readonly #context: ReceivedManifestOptions;
  readonly #writer: ManifestWriter;
  readonly #stopped = new AbortController();
  #writing: Promise<void> | undefined;

  /** @param context What it works with. */
  constructor(context: ReceivedManifestOptions) {
    this.#context = context;
    const { manifest, storage, directory, overwrite } = context.options;
    this.#writer = new ManifestWriter({
      storage: storage ?? new DenoStorage(),
      crypto: context.crypto,
      directory: directory ?? ".",
      path: manifest,
      folder: dirname(manifest),
      overwrite: overwrite === "always",
      wallClockMs: Date.now,
      signal: this.#stopped.signal,
    });
  }

  /**
   * Looks whether it can be written.
   *
   * @throws {TransferError} When not.
   */
  async check(): Promise<void> {
    try {
      await this.#writer.check();
    } catch (error) {
      throw transferError(error);
    }
  }

  /** Everything is noted again from here on; see {@linkcode ManifestWriter.restart}. */
  restart(isSameOffer: boolean): void {
    this.#writer.restart(isSameOffer);
  }

  /** Notes what is in its place; see {@linkcode ManifestWriter.add}. */
  add(planned: PlannedEntry, root?: Uint8Array): void {
    this.#writer.add(planned, root);
  }

  /**
   * Reads everything back and writes it.
   *
   * @throws {TransferError} When a file did not come back as it was sent, or the manifest cannot be
   *   written.
   */
  async write(): Promise<void> {
    this.#writing = this.#write();
    await this.#writing;
  }

  /** Ends what is under way; never fails. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#writing?.catch(() => {}); // told to whoever called write
  }

  async #write(): Promise<void> {
    const { clock, session, emit, options } = this.#context;
    const ticker = new ProgressTicker(
      clock,
      () => this.#writer.progress,
      (progress) => emit({ ...progress, session, readingBack: true }),
    );
    try {
      const { files, bytes } = await this.#writer.write();
      ticker.stop();
      emit({ event: "manifest", session, path: options.manifest, files, bytes });
    } catch (error) {
      ticker.stop();
      throw transferError(error);
    }
  }
}
