/**
 * A worker that reads the same file over and over, whatever is in its place, and says how often it
 * got `content`, and whether it ever got anything else.
 */
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import { StorageError } from "../../lib/storage/storage.ts";

/** What to read, how often, and what should be in it. */
export interface ReaderTask {
  readonly path: string;
  readonly times: number;
  readonly content: string;
}

/** What came of it. */
export interface ReaderResult {
  /** How often the content was there. */
  readonly whole: number;
  /** Other contents, and errors that are none of a storage. */
  readonly wrong: readonly string[];
}

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ReaderTask>) => void;
  postMessage: (result: ReaderResult) => void;
};

scope.onmessage = async ({ data: { path, times, content } }) => {
  const storage = new DenoStorage();
  const into = new Uint8Array(1000);
  const wrong: string[] = [];
  let whole = 0;
  for (let count = 0; count < times; count++) {
    try {
      const { length } = await storage.readWhole(path, into);
      const text = new TextDecoder().decode(into.subarray(0, length));
      if (text === content) whole++;
      else wrong.push(text);
    } catch (error) {
      if (!(error instanceof StorageError)) wrong.push(`${error}`);
    }
  }
  scope.postMessage({ whole, wrong });
};
