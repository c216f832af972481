/** A folder of the system's temporary files that is gone when its scope is left. */
import { join } from "node:path";

/** A temporary folder, for `await using`. */
export class TempFolder implements AsyncDisposable {
  /** Its absolute path. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes one.
   *
   * @param parent Where; in the system's place for them by default.
   */
  static async make(parent?: string): Promise<TempFolder> {
    const path = await Deno.makeTempDir({
      prefix: "p2pft-",
      ...(parent === undefined ? {} : { dir: parent }),
    });
    // Comparisons with what the program prints need the path without links (macOS: /var).
    return new TempFolder(await Deno.realPath(path));
  }

  /** The path of something in it. */
  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Makes a folder in it and gives its path. */
  async folder(...names: string[]): Promise<string> {
    const path = this.at(...names);
    await Deno.mkdir(path, { recursive: true });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
