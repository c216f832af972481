/** What a share hands out: paths, a text, a stream or nothing, made ready to be listed and read. */
import type { WarningEvent } from "../events.ts";
import type { ShareOptions, ShareSource } from "../options.ts";
import { DenoStorage } from "../storage/deno_storage.ts";
import { buildManifest, type Manifest } from "../transfer/offer/manifest.ts";
import { nothingManifest, streamManifest, textSource } from "../transfer/offer/single_source.ts";
import type { SourceStorage } from "../storage/storage.ts";
import { StreamSource } from "../storage/stream_source.ts";

/** Something that can be sent. */
export interface PreparedSource {
  readonly manifest: Manifest;
  /** Where its bytes come from. */
  readonly storage: SourceStorage;
  /** The same, when it is a stream: it is gone once somebody has begun to read it. */
  readonly stream?: StreamSource;
}

/** What a text is called when nobody names it. */
const TEXT_NAME = "text.txt";

/**
 * Makes a source ready.
 *
 * @param warn Told of what is left out.
 * @throws {TypeError} If there are no paths, a text or a name that cannot be sent, or a stream that
 * somebody else reads.
 * @throws {TransferError} As `buildManifest`.
 */
export async function prepareSource(
  source: ShareSource,
  options: ShareOptions,
  warn: (warning: WarningEvent) => void,
): Promise<PreparedSource> {
  if ("stream" in source) {
    const { stream, name, mtimeMs = Date.now() } = source;
    const manifest = streamManifest({ name, mtimeMs });
    const opened = new StreamSource(stream);
    return { manifest, storage: opened, stream: opened };
  }
  if ("text" in source) {
    const { text, name = TEXT_NAME, mtimeMs = Date.now() } = source;
    return textSource(text, { name, mtimeMs });
  }
  const storage = options.storage ?? new DenoStorage();
  if ("nothing" in source) {
    if (options.take) return { manifest: nothingManifest(), storage };
    throw new TypeError("Cannot share nothing: it takes nothing either");
  }
  if (source.length === 0) throw new TypeError("Cannot share nothing: paths is empty");
  const { exclude, gitignore, symlinks, signal } = options;
  const manifest = await buildManifest(storage, source, {
    onWarning: warn,
    ...(exclude === undefined ? {} : { exclude }),
    ...(gitignore === undefined ? {} : { gitignore }),
    ...(symlinks === undefined ? {} : { symlinks }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { manifest, storage };
}
