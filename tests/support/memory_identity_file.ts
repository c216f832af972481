/** A file of identities in memory; changes wait for one another. */
import type { IdentityFile } from "../../lib/identity/identity_store.ts";

/** The file. */
export class MemoryIdentityFile implements IdentityFile {
  readonly path = "memory/identities";
  /** What is in it; undefined when there is none. */
  bytes: Uint8Array | undefined;
  /** How often it was replaced. */
  replacements = 0;
  /** What each change throws in place of being written. */
  failure: Error | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(text?: string) {
    if (text !== undefined) this.bytes = new TextEncoder().encode(text);
  }

  /** What is in it, as text. */
  get text(): string | undefined {
    return this.bytes && new TextDecoder().decode(this.bytes);
  }

  read(): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.bytes);
  }

  exclusively<Result>(
    work: (replace: (bytes: Uint8Array) => Promise<void>) => Promise<Result>,
  ): Promise<Result> {
    const next = this.#last.then(() =>
      work((bytes) => {
        if (this.failure) return Promise.reject(this.failure);
        this.bytes = bytes;
        this.replacements++;
        return Promise.resolve();
      })
    );
    this.#last = next.catch(() => {});
    return next;
  }
}
