/**
 * A manifest of files with their SHA-256, as text: what `receive --manifest` writes and `verify`
 * reads. `sha256sum -c` of GNU coreutils checks it too, from the folder the names belong to; what
 * only `verify` needs stands in comments. Files that `sha256sum` wrote are read as well.
 *
 * ```
 * # p2pft manifest 1: 2 files, 1048581 bytes     first line; how many files and bytes there are
 * # folder photos                                for people: folders and links are not checked
 * # link latest -> photos/b.jpg
 * # size 5 root <64 hexadecimal digits>          of the file in the next line
 * <64 hexadecimal digits> *photos/a.txt
 * \<64 hexadecimal digits> *odd\\name            escaped: \\ \n \r, with a backslash in front
 * ```
 *
 * Not here: whether a name may be used as a path; names are as somebody wrote them. Nor the manifest
 * of a share on the wire, which is `manifest.ts`.
 *
 * @see {@link https://www.gnu.org/software/coreutils/manual/html_node/md5sum-invocation.html | GNU coreutils, md5sum}
 */
import { TransferError } from "../errors.ts";
import { escapeText } from "../transfer/escape_text.ts";
import {
  MAX_ENTRIES,
  MAX_MANIFEST_FILE_BYTES,
  MAX_MANIFEST_LINE_BYTES,
} from "../transfer/limits.ts";

/** One file of a manifest. */
export interface ManifestFile {
  /** Path from the folder that is checked, with `/`; as somebody wrote it, so not safe to use. */
  readonly path: string;
  /** SHA-256 of its bytes, 64 hexadecimal digits in lower case. */
  readonly sha256: string;
  /** Its size, where the manifest says it. */
  readonly sizeBytes?: number;
  /** Root of its SHA-256 tree (docs/transfer.md, "Integrity"), as `sha256`; where the manifest says it. */
  readonly root?: string;
  /** True when the path was not valid UTF-8: it is for display only. */
  readonly isMalformedName?: true;
}

/** A file as {@linkcode formatManifest} writes it. */
export type ListedFile = Required<Omit<ManifestFile, "isMalformedName">>;

/** What a manifest says beside its files, for people. */
export interface ManifestRemarks {
  /** Paths of folders. */
  readonly folders?: readonly string[];
  /** Symbolic links. */
  readonly links?: readonly { readonly path: string; readonly target: string }[];
}

const VERSION = "1";

/**
 * The lines of a manifest, each with its end.
 *
 * @example One file
 * ```ts
 * import { formatManifest } from "./checksum_manifest.ts";
 * import assert from "node:assert/strict";
 *
 * const file = { path: "a", sha256: "0".repeat(64), root: "1".repeat(64), sizeBytes: 5 };
 * assert.equal(Array.from(formatManifest([file])).at(-1), `${"0".repeat(64)} *a\n`);
 * ```
 */
export function* formatManifest(
  files: readonly ListedFile[],
  remarks: ManifestRemarks = {},
): Generator<string, void> {
  let bytes = 0;
  for (const file of files) bytes += file.sizeBytes;
  yield `# p2pft manifest ${VERSION}: ${files.length} files, ${bytes} bytes\n`;
  for (const folder of remarks.folders ?? []) yield `# folder ${escapeText(folder)}\n`;
  for (const { path, target } of remarks.links ?? []) {
    yield `# link ${escapeText(path)} -> ${escapeText(target)}\n`;
  }
  for (const { path, sha256, sizeBytes, root } of files) {
    yield `# size ${sizeBytes} root ${root}\n`;
    // A name that is only a dash would be standard input.
    const name = path === "-" ? "./-" : path;
    const escaped = escapeName(name);
    yield `${escaped === name ? "" : "\\"}${sha256} *${escaped}\n`;
  }
}

/**
 * Reads a manifest.
 *
 * @param bytes All of it.
 * @returns Its files, in order; a name may be there twice.
 * @throws {TransferError} `read_failed` when it is no manifest, was cut off, or is too long;
 *   `version_mismatch` when a later version of p2pft wrote it.
 */
export function parseManifest(bytes: Uint8Array): ManifestFile[] {
  const reader = new ManifestReader();
  reader.add(bytes);
  return reader.end();
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = "\ufeff";

const HEADER_START = "# p2pft manifest ";
const HEADER = /^# p2pft manifest (\d{1,9}): (\d{1,9}) files, \d{1,16} bytes$/;
const DETAILS = /^# size (\d{1,16}) root ([0-9a-f]{64})$/;
/** Blanks in front are allowed, as in coreutils. The mode, text or binary, makes no difference. */
const CHECKSUM = /^[ \t]*(\\?)([0-9a-fA-F]{64}) [ *](.+)$/s;

const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossyDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Reads a manifest piece by piece; see {@linkcode parseManifest} for what is thrown. */
export class ManifestReader {
  readonly #files: ManifestFile[] = [];
  #partialLine: Uint8Array = new Uint8Array(0);
  #byteCount = 0;
  #lineCount = 0;
  /** How many files there are to be; undefined when nothing says so. */
  #fileCount: number | undefined;
  #details: Pick<ManifestFile, "sizeBytes" | "root"> = {};

  /** Takes the next bytes. */
  add(bytes: Uint8Array): void {
    this.#byteCount += bytes.length;
    if (this.#byteCount > MAX_MANIFEST_FILE_BYTES) throw this.#error("it is too long");
    let start = 0;
    for (
      let end = bytes.indexOf(LINE_FEED);
      end >= 0;
      end = bytes.indexOf(LINE_FEED, start)
    ) {
      const line = bytes.subarray(start, end);
      this.#takeLine(this.#partialLine.length === 0 ? line : this.#joined(line));
      this.#partialLine = new Uint8Array(0);
      start = end + 1;
    }
    if (start < bytes.length) this.#partialLine = this.#joined(bytes.subarray(start));
  }

  /** The files, after the last bytes. */
  end(): ManifestFile[] {
    if (this.#partialLine.length > 0) {
      if (this.#fileCount !== undefined) throw this.#lineError("was cut off", 1);
      this.#takeLine(this.#partialLine);
    }
    const count = this.#files.length;
    if (this.#fileCount !== undefined && this.#fileCount !== count) {
      throw this.#error(`it lists ${count} of ${this.#fileCount} files: it was cut off or changed`);
    }
    if (this.#fileCount === undefined && count === 0) throw this.#error("it lists no files");
    return this.#files;
  }

  /** The line begun earlier with what follows of it. */
  #joined(rest: Uint8Array): Uint8Array {
    const length = this.#partialLine.length + rest.length;
    if (length > MAX_MANIFEST_LINE_BYTES) throw this.#lineError("is too long", 1);
    const joined = new Uint8Array(length);
    joined.set(this.#partialLine);
    joined.set(rest, this.#partialLine.length);
    return joined;
  }

  #takeLine(bytes: Uint8Array): void {
    this.#lineCount++;
    if (bytes.length > MAX_MANIFEST_LINE_BYTES) throw this.#lineError("is too long");
    const length = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length;
    if (length === 0) return;
    let text: string;
    let isMalformed = false;
    try {
      text = strictDecoder.decode(bytes.subarray(0, length));
    } catch {
      // A fatal decoder reports bytes that are not UTF-8 in no other way.
      text = lossyDecoder.decode(bytes.subarray(0, length));
      isMalformed = true;
    }
    if (this.#lineCount === 1 && text.startsWith(BYTE_ORDER_MARK)) text = text.slice(1);
    if (text.startsWith("#")) this.#takeComment(text);
    else this.#takeChecksum(text, isMalformed);
  }

  /** A first line that is not ours is a comment like any other. */
  #takeHeader(text: string): void {
    if (!text.startsWith(HEADER_START)) return;
    const [, version, fileCount] = HEADER.exec(text) ?? [];
    if (version !== VERSION) {
      throw new TransferError(
        "version_mismatch",
        "Cannot read the manifest: another version of p2pft wrote it",
        { hint: "Update p2pft on this machine, or check it with sha256sum -c" },
      );
    }
    this.#fileCount = Number(fileCount);
  }

  #takeComment(text: string): void {
    if (this.#lineCount === 1) return this.#takeHeader(text);
    const details = this.#fileCount === undefined ? null : DETAILS.exec(text);
    if (details !== null) this.#details = { sizeBytes: Number(details[1]), root: details[2]! };
  }

  #takeChecksum(text: string, isMalformed: boolean): void {
    const match = CHECKSUM.exec(text);
    const name = match === null
      ? undefined
      : match[1] === "\\"
      ? unescapeName(match[3]!)
      : match[3]!;
    if (name === undefined) throw this.#lineError("is no SHA-256 and a name");
    if (this.#files.length === MAX_ENTRIES) {
      throw this.#error(`it lists more than ${MAX_ENTRIES} files`);
    }
    this.#files.push({
      // Tools that search folders put it in front of every name.
      path: name.replace(/^(?:\.\/)+(?=.)/s, ""),
      sha256: match![2]!.toLowerCase(),
      ...this.#details,
      ...(isMalformed ? { isMalformedName: true } : {}),
    });
    this.#details = {};
  }

  #lineError(problem: string, linesBehind = 0): TransferError {
    return this.#error(`line ${this.#lineCount + linesBehind} ${problem}`);
  }

  #error(problem: string): TransferError {
    return new TransferError("read_failed", `Cannot read the manifest: ${problem}`, {
      hint: "Give a file that p2pft receive --manifest or sha256sum wrote, whole",
    });
  }
}

/** A name as coreutils writes it: in one line, whatever is in it. */
function escapeName(name: string): string {
  return name.replace(
    /[\\\n\r]/g,
    (character) => character === "\\" ? "\\\\" : character === "\n" ? "\\n" : "\\r",
  );
}

/** The name behind an escaped one; undefined when it has an escape that nobody writes. */
function unescapeName(escaped: string): string | undefined {
  if (!/^(?:[^\\]|\\[\\nr])*$/.test(escaped)) return undefined;
  return escaped.replace(
    /\\([\\nr])/g,
    (_, letter) => letter === "\\" ? "\\" : letter === "n" ? "\n" : "\r",
  );
}
