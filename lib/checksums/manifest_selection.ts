/**
 * Which files of a manifest to look for, and where: the folders and files that a person names, from
 * whatever folder and however written.
 */
import { TransferError } from "../errors.ts";
import type { ManifestFile } from "./checksum_manifest.ts";
import { type NamePlace, pathInFolder } from "../transfer/names.ts";
import type { Storage } from "../storage/storage.ts";

/** Files of a manifest, and where each is looked for. */
export interface Selection {
  readonly files: readonly ManifestFile[];
  readonly placeOf: (file: ManifestFile) => NamePlace;
}

/** A manifest, and what a person wants of it. */
export interface ManifestWish {
  /** What is in it. */
  readonly files: readonly ManifestFile[];
  /** Its path. */
  readonly manifest: string;
  /** The folder it lies in. */
  readonly folder: string;
  /** Folders, or files that are in the manifest; none for the manifest's own folder. */
  readonly paths: readonly string[];
}

/**
 * The work, in the order of `paths`. A folder beside the manifest that is in the manifest stands for
 * what is in it; any other stands for all files of the manifest, looked for in it. A file stands for
 * the name in the manifest that is the longest end of its path.
 *
 * @throws {TransferError} `usage` when a file is not in the manifest; `read_failed` when there is
 *   nothing at a path and the manifest does not know it either.
 * @throws {StorageError} When a path cannot be looked at.
 */
export async function selectFiles(
  storage: Storage,
  { files, manifest, folder, paths }: ManifestWish,
): Promise<Selection[]> {
  if (paths.length === 0) return [inFolder(storage, folder, files)];
  const selections: Selection[] = [];
  let byPath: Map<string, ManifestFile> | undefined;
  for (const path of paths) {
    const info = await storage.inspect(path);
    // What it leads to tells a folder, and the whole of a path that begins in the current one.
    const resolved = info === undefined ? path : await storage.resolve(path);
    if (info !== undefined && (await storage.inspect(resolved))?.kind === "directory") {
      const home = await storage.resolve(manifest);
      const inside = filesInside(files, withSlashes(storage, home), withSlashes(storage, resolved));
      selections.push(
        inside.length > 0 ? inFolder(storage, folder, inside) : inFolder(storage, path, files),
      );
      continue;
    }
    byPath ??= new Map(files.map((file) => [file.path, file]));
    const file = findByEnd(storage, byPath, info?.kind === "symlink" ? path : resolved);
    if (file !== undefined) selections.push({ files: [file], placeOf: () => ({ path }) });
    else if (info !== undefined) {
      throw new TransferError("usage", `Cannot verify ${path}: it is not in the manifest`);
    } else {
      throw new TransferError("read_failed", `Cannot verify ${path}: nothing is there`);
    }
  }
  return selections;
}

function inFolder(
  storage: Storage,
  folder: string,
  files: readonly ManifestFile[],
): Selection {
  const placeOf = ({ path, isMalformedName }: ManifestFile): NamePlace =>
    isMalformedName ? { refusal: "is not valid UTF-8" } : pathInFolder(storage, folder, path);
  return { files, placeOf };
}

/** The files of a folder that lies beside the manifest, or deeper; none when it is another one. */
function filesInside(
  files: readonly ManifestFile[],
  manifest: string,
  folder: string,
): ManifestFile[] {
  const home = manifest.slice(0, manifest.lastIndexOf("/") + 1);
  if (!folder.startsWith(home)) return [];
  const prefix = `${folder.slice(home.length)}/`;
  return files.filter(({ path }) => path.startsWith(prefix));
}

function withSlashes({ nameRules }: Storage, path: string): string {
  return nameRules === "windows" ? path.replaceAll("\\", "/") : path;
}

/** The file whose name is the longest end of `path`. */
function findByEnd(
  storage: Storage,
  byPath: ReadonlyMap<string, ManifestFile>,
  path: string,
): ManifestFile | undefined {
  for (let name = withSlashes(storage, path).replace(/^(?:\.\/)+/, "");;) {
    const file = byPath.get(name);
    const slash = name.indexOf("/");
    if (file !== undefined || slash < 0) return file;
    name = name.slice(slash + 1);
  }
}
