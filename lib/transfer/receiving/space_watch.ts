/**
 * Looks at the free space again while files are written: what was free before may be taken by other
 * programs, and who has to wait for hours wants to know at once that they are for nothing.
 */
import { TransferError } from "../../errors.ts";
import type { Storage } from "../../storage/storage.ts";

/** Bytes written from one look to the next, by default: seconds of a fast disk. */
export const SPACE_LOOK_BYTES = 1_073_741_824;

/** What a {@linkcode SpaceWatch} works with. */
export interface SpaceWatchOptions {
  readonly storage: Pick<Storage, "freeBytes">;
  /** The target folder. */
  readonly directory: string;
  /** Bytes written from one look to the next. */
  readonly spaceLookBytes: number;
  /** How many bytes are still to be written. */
  readonly missingBytes: () => number;
  /** Told when they do not fit. */
  readonly onShort: (error: TransferError) => void;
}

/** The free space of one transfer. */
export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  #unlookedBytes = 0;
  #isLooking = false;

  /** @param options What it works with. */
  constructor(options: SpaceWatchOptions) {
    this.#options = options;
  }

  /** Notes that bytes were written. */
  note(bytes: number): void {
    this.#unlookedBytes += bytes;
    if (this.#unlookedBytes < this.#options.spaceLookBytes || this.#isLooking) return;
    this.#unlookedBytes = 0;
    this.#isLooking = true;
    void this.#look().finally(() => this.#isLooking = false);
  }

  async #look(): Promise<void> {
    const { storage, directory, missingBytes, onShort } = this.#options;
    const freeBytes = await storage.freeBytes(directory).catch(() => undefined);
    const neededBytes = missingBytes();
    if (freeBytes === undefined || freeBytes >= neededBytes) return;
    onShort(spaceError(directory, neededBytes, freeBytes));
  }
}

/** The error when what is missing does not fit; what is there already is kept. */
export function spaceError(
  directory: string,
  neededBytes: number,
  freeBytes: number,
): TransferError {
  return new TransferError(
    "disk_full",
    `Cannot write into ${directory}: ${neededBytes} bytes are needed, ${freeBytes} are free`,
  );
}
