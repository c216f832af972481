/**
 * Compares one file of a manifest with what is on the disk. Its name is hostile until it has passed
 * the rules of `names.ts`; links are not followed in its last component.
 */
import { encodeHex } from "../bytes/hex.ts";
import type { ManifestFile } from "./checksum_manifest.ts";
import type { FileDigester } from "./file_digests.ts";
import type { NamePlace } from "../transfer/names.ts";
import { type FileInfo, type Storage, StorageError } from "../storage/storage.ts";

/** What was found: `good`, or what is wrong and in which words. */
export type Finding =
  | { readonly kind: "good"; readonly sizeBytes: number; readonly root: string }
  | {
    /**
     * - `missing`: there is nothing.
     * - `damaged`: other bytes.
     * - `resized`: another size than the manifest says; the bytes were not looked at.
     * - `replaced`: a link, a folder or something else is in its place.
     * - `unreadable`: the system does not let it be read.
     * - `unsafe_name`: the name is not used as a path.
     */
    readonly kind: "missing" | "damaged" | "resized" | "replaced" | "unreadable" | "unsafe_name";
    /** For people, with the name in it; holds text of the manifest. */
    readonly message: string;
  };

/** The disk, and what hashes its files. */
export interface CheckTools {
  readonly storage: Storage;
  readonly digester: FileDigester;
}

/**
 * Looks at a file of a manifest, and hashes it when it may be the one.
 *
 * @param place Where it should be.
 * @throws {StorageError} `permission_missing`: no other file could be looked at either.
 * @throws What the digester was aborted with.
 */
export async function checkFile(
  { storage, digester }: CheckTools,
  file: ManifestFile,
  place: NamePlace,
): Promise<Finding> {
  if ("refusal" in place) {
    return { kind: "unsafe_name", message: `Left out ${file.path}: its name ${place.refusal}` };
  }
  try {
    const looking = storage.inspect(place.path);
    const info = looking instanceof Promise ? await looking : looking;
    const problem = problemOf(file, info);
    if (problem !== undefined) return problem;
    const digests = await digester.digest(place.path, info!.sizeBytes);
    const root = encodeHex(digests.root);
    const isGood = encodeHex(digests.sha256) === file.sha256 && (file.root ?? root) === root;
    if (isGood) return { kind: "good", sizeBytes: digests.sizeBytes, root };
    const message = `Damaged: ${file.path} does not hold the bytes of the manifest`;
    return { kind: "damaged", message };
  } catch (error) {
    if (!(error instanceof StorageError) || error.kind === "permission_missing") throw error;
    if (error.kind === "not_found") return missing(file);
    const reason = error.kind === "denied" ? "permission denied" : error.message;
    return { kind: "unreadable", message: `Cannot read ${file.path}: ${reason}` };
  }
}

/** What is wrong already at a look. */
function problemOf(file: ManifestFile, info: FileInfo | undefined): Finding | undefined {
  if (info === undefined) return missing(file);
  const { path } = file;
  if (info.kind !== "file") {
    const what = KIND_WORDS[info.kind];
    return { kind: "replaced", message: `Replaced: ${path} is ${what} now, not a file` };
  }
  if (file.sizeBytes === undefined || file.sizeBytes === info.sizeBytes) return undefined;
  const sizes = `${info.sizeBytes} bytes, not ${file.sizeBytes}`;
  return { kind: "resized", message: `Changed in size: ${path} has ${sizes}` };
}

function missing({ path }: ManifestFile): Finding {
  return { kind: "missing", message: `Missing: ${path} is not there` };
}

const KIND_WORDS: Readonly<Record<Exclude<FileInfo["kind"], "file">, string>> = {
  directory: "a folder",
  symlink: "a symbolic link",
  other: "something else",
};
