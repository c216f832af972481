/** Manifests on the disk: reads one, and writes one so that it is there whole or not at all. */
import { type ManifestFile, ManifestReader } from "./checksum_manifest.ts";
import type { TransferCrypto } from "../transfer/hash_tree.ts";
import { CHUNK_BYTES, GROUP_BYTES, MAX_MANIFEST_LINE_BYTES } from "../transfer/limits.ts";
import { ownNamesOf } from "../transfer/own_names.ts";
import type { PlaceResult, Storage } from "../storage/storage.ts";
import { writeUtf8 } from "../transfer/utf8.ts";

/**
 * Reads a manifest.
 *
 * @param path Chosen by the person; may be a link.
 * @param signal Aborted when nobody wants to know any more.
 * @throws {TransferError} As `parseManifest`.
 * @throws {StorageError} When it cannot be read.
 */
export async function readManifestFile(
  storage: Storage,
  path: string,
  signal: AbortSignal,
): Promise<ManifestFile[]> {
  const isLink = (await storage.inspect(path))?.kind === "symlink";
  const source = await storage.openSource(isLink ? await storage.resolve(path) : path);
  try {
    const reader = new ManifestReader();
    const buffer = new Uint8Array(GROUP_BYTES);
    for (let offset = 0;;) {
      const length = await source.read(offset, buffer);
      signal.throwIfAborted();
      reader.add(buffer.subarray(0, length));
      if (length < buffer.length) return reader.end();
      offset += length;
    }
  } finally {
    source.close();
  }
}

/** Where a manifest goes. */
export interface ManifestPlace {
  /** Its path. */
  readonly path: string;
  /** The folder it is in. */
  readonly folder: string;
  /** Its modification time. */
  readonly mtimeMs: number;
  /** Whether to replace a file that is there. */
  readonly overwrite: boolean;
}

/**
 * Writes a manifest through a part file.
 *
 * @param lines Each with its end.
 * @throws {StorageError} When it cannot be written; the part file is gone.
 */
export async function writeManifestFile(
  storage: Storage,
  crypto: TransferCrypto,
  { path, folder, mtimeMs, overwrite }: ManifestPlace,
  lines: Iterable<string>,
): Promise<PlaceResult> {
  const names = ownNamesOf(crypto, storage.baseName(path));
  const part = await storage.createPart({
    path,
    partPath: storage.join(folder, names.part),
    journalPath: storage.join(folder, names.journal),
    // The person's own folder: it may be a link.
    folder: undefined,
    mtimeMs,
    executable: false,
    overwrite,
  });
  try {
    const buffer = new Uint8Array(CHUNK_BYTES + MAX_MANIFEST_LINE_BYTES);
    let offset = 0;
    let length = 0;
    for (const line of lines) {
      length = writeUtf8(line, buffer, length);
      if (length < CHUNK_BYTES) continue;
      await part.write(offset, buffer.subarray(0, length));
      offset += length;
      length = 0;
    }
    await part.write(offset, buffer.subarray(0, length));
    const result = await part.place(offset + length);
    await storage.syncFolder(folder);
    return result;
  } catch (error) {
    await part.discard();
    throw error;
  }
}
