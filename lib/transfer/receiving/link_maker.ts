/**
 * Makes the symbolic links of a share, when all files are in their place: nothing of the share is
 * ever written through one (docs/transfer.md, "Links") [LINK-1].
 */
import { placeOf } from "../names.ts";
import type { Outcome } from "../outcome.ts";
import type { OwnNaming } from "../own_names.ts";
import { pathsPassed, type PlannedLink } from "./plan.ts";
import type { Half } from "../half.ts";
import { type FileInfo, type Storage, StorageError } from "../../storage/storage.ts";

/** What links are made with. */
export interface LinkWorld {
  readonly half: Half;
  readonly storage: Storage;
  readonly names: OwnNaming;
  /** The target folder. */
  readonly directory: string;
  /** Where what is not made is counted. */
  readonly outcome: Outcome;
}

/** What became of a link: in its place, or the code and the words of its warning. */
type LinkResult = "placed" | { readonly code: string; readonly reason: string };

/**
 * Makes links; those that cannot be made are left out and named.
 *
 * @returns How many are in their place.
 * @throws {StorageError} When the disk is full or broken.
 */
export async function makeLinks(links: readonly PlannedLink[], world: LinkWorld): Promise<number> {
  const { half, outcome } = world;
  let placed = 0;
  for (const link of links) {
    if (half.hasEnded) break;
    const result = await makeLink(link, world);
    if (result === "placed") {
      placed++;
      outcome.onInPlace(link);
      continue;
    }
    const { path } = link.entry;
    if (result.code === "unsafe_name") outcome.refused++;
    else outcome.kept++;
    const verb = result.code === "kept" ? "Kept" : "Left out";
    half.warn(result.code, path, `${verb} ${path}: ${result.reason}`);
  }
  return placed;
}

async function makeLink(link: PlannedLink, world: LinkWorld): Promise<LinkResult> {
  const { storage, names } = world;
  const { entry, parent, storedAs, overwrite } = link;
  if (await passesLink(link, world)) {
    return { code: "unsafe_link", reason: "it leads through another link" };
  }
  try {
    const result = await storage.makeLink(entry.linkTarget ?? "", {
      path: placeOf(storage, parent, storedAs),
      partPath: storage.join(parent, names.of(storedAs).part),
      // Only the target folder itself may be a link.
      folder: storedAs.includes("/") ? parent : undefined,
      mtimeMs: entry.mtimeMs,
      overwrite,
    });
    return result === "placed" ? result : { code: "kept", reason: "it appeared here meanwhile" };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    switch (error.kind) {
      case "bad_name":
        return { code: "unsafe_name", reason: "this system cannot store its name" };
      case "replaced":
        return { code: "blocked", reason: "something is in its way" };
      case "permission_missing":
        return {
          code: "symlink_unsupported",
          reason: "Deno makes links only with --allow-read and --allow-write for everything",
        };
      case "denied":
      case "other":
        return { code: "symlink_unsupported", reason: "links cannot be made there" };
      case "not_found":
      case "no_space":
      case "read_only":
        throw error;
      default:
        return error.kind satisfies never;
    }
  }
}

/** Whether something on the way to where a link leads is a link now [LINK-3]. */
async function passesLink(link: PlannedLink, world: LinkWorld): Promise<boolean> {
  const { storage, directory } = world;
  for (const path of pathsPassed(link)) {
    const place = path.split("/").reduce((folder, name) => storage.join(folder, name), directory);
    if ((await inspect(storage, place))?.kind === "symlink") return true;
  }
  return false;
}

/** Undefined also for a path no system can hold: nothing is behind it. */
async function inspect(storage: Storage, path: string): Promise<FileInfo | undefined> {
  try {
    return await storage.inspect(path);
  } catch (error) {
    if (error instanceof StorageError && error.kind === "bad_name") return undefined;
    throw error;
  }
}
