/**
 * What is shared that is no path on this machine: a text, a stream, or nothing. A text or a stream is
 * the one entry of its share and reaches a client through the same door as files.
 */
import type { EntryKind, ManifestEntry } from "./entry.ts";
import { EntryList } from "./entry_list.ts";
import { MAX_SNIPPET_BYTES } from "../limits.ts";
import type { Manifest } from "./manifest.ts";
import { refusalOf } from "../names.ts";
import type { FileInfo, SourceFile, SourceStorage, WholeRead } from "../../storage/storage.ts";

/** What the one entry looks like at the other side. */
export interface SingleEntry {
  /** Its name: one component of a path. */
  readonly name: string;
  /** Its modification time, ms since 1970. */
  readonly mtimeMs: number;
}

/**
 * The manifest of a stream.
 *
 * @throws {TypeError} If the name is none a file could have.
 */
export function streamManifest(entry: SingleEntry): Manifest {
  return manifestOf({ ...entryOf("stream", entry), sizeBytes: 0 });
}

/**
 * The manifest of a text, and what serves it.
 *
 * @param text 1 to 65,536 bytes of UTF-8.
 * @throws {TypeError} If the text is empty, too long or not well-formed, or the name is none a file
 * could have.
 */
export function textSource(
  text: string,
  entry: SingleEntry,
): { readonly manifest: Manifest; readonly storage: SourceStorage } {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length === 0) throw new TypeError("Cannot send a text: it is empty");
  if (bytes.length > MAX_SNIPPET_BYTES) {
    const most = `at most ${MAX_SNIPPET_BYTES}`;
    throw new TypeError(`Cannot send a text of ${bytes.length} bytes, ${most}: send a file`);
  }
  if (!text.isWellFormed()) throw new TypeError("Cannot send a text: it is not valid Unicode");
  const sizeBytes = bytes.length;
  const manifest = manifestOf({ ...entryOf("file", entry), sizeBytes, isText: true });
  const info = { kind: "file", sizeBytes, mtimeMs: entry.mtimeMs, executable: false } as const;
  return { manifest, storage: new BytesStorage(bytes, info) };
}

/** The manifest of nothing: there is nothing to take. */
export function nothingManifest(): Manifest {
  return manifestOf();
}

function entryOf(kind: EntryKind, { name, mtimeMs }: SingleEntry) {
  const refusal = name.isWellFormed() ? refusalOf(name, "posix") : "is not valid Unicode";
  if (refusal !== undefined) {
    throw new TypeError(`Cannot share something as ${name}: it ${refusal}`);
  }
  return { kind, path: name, mtimeMs, executable: false };
}

function manifestOf(entry?: ManifestEntry): Manifest {
  const list = new EntryList();
  if (entry !== undefined) list.add(entry);
  const { entries, files, directories, links, bytes } = list;
  return { entries, files, directories, links, bytes, leftOut: 0, sourceOf: ({ path }) => path };
}

/** Serves the same bytes under whatever path. */
class BytesStorage implements SourceStorage {
  readonly #bytes: Uint8Array;
  readonly #info: FileInfo;

  constructor(bytes: Uint8Array, info: FileInfo) {
    this.#bytes = bytes;
    this.#info = info;
  }

  inspect(): FileInfo {
    return this.#info;
  }

  readWhole(_path: string, into: Uint8Array): WholeRead {
    return { length: this.#read(0, into), before: this.#info, after: this.#info };
  }

  openSource(): Promise<SourceFile> {
    return Promise.resolve({
      info: this.#info,
      read: (offset: number, into: Uint8Array) => Promise.resolve(this.#read(offset, into)),
      inspect: () => Promise.resolve(this.#info),
      close: () => {},
    });
  }

  #read(offset: number, into: Uint8Array): number {
    const part = this.#bytes.subarray(offset, offset + into.length);
    into.set(part);
    return part.length;
  }
}
