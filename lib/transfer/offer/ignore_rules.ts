/**
 * Which files of a folder are left out by patterns in the syntax of `.gitignore`: those of
 * `--exclude`, `.git` itself, and those of the `.gitignore` files on the way. Matching one path is
 * the library's; which patterns decide is here.
 *
 * @see {@link https://git-scm.com/docs/gitignore | gitignore}
 */
import ignore from "npm:ignore@7.0.16";

/** Patterns that hold from one folder downward. */
interface Level {
  /** Characters of the folder's path within the share and of the slash behind it. */
  readonly base: number;
  readonly matcher: ignore.Ignore;
}

/** What {@linkcode IgnoreRules.of} makes rules of. */
export interface IgnoreOptions {
  /** Patterns that hold in every folder that was given; they decide before all others. */
  readonly exclude: readonly string[];
  /** Whether `.git` is left out, and `.gitignore` files are to be handed in. */
  readonly gitignore: boolean;
  /** Whether capitals do not matter, as in the file system. */
  readonly foldsNames: boolean;
}

/** The patterns that hold in one folder. Immutable. */
export class IgnoreRules {
  /** Whether `.gitignore` files count. */
  readonly readsGitignore: boolean;
  readonly #foldsNames: boolean;
  /** Those of no file; the first level that says anything about a path decides. */
  readonly #given: readonly Level[];
  /** Those of `.gitignore` files, the deepest first; they come after all that were given. */
  readonly #found: readonly Level[];

  private constructor(
    options: Pick<IgnoreOptions, "gitignore" | "foldsNames">,
    given: readonly Level[],
    found: readonly Level[],
  ) {
    this.readsGitignore = options.gitignore;
    this.#foldsNames = options.foldsNames;
    this.#given = given;
    this.#found = found;
  }

  /** The rules for paths of one component. */
  static of(options: IgnoreOptions): IgnoreRules {
    const matcher = (patterns: readonly string[]) =>
      ignore({ ignorecase: options.foldsNames }).add(patterns);
    const given: Level[] = [];
    if (options.exclude.length > 0) given.push({ base: 0, matcher: matcher(options.exclude) });
    // Before the files, of which none can bring it back: git knows no pattern that does.
    if (options.gitignore) given.push({ base: 0, matcher: matcher([".git"]) });
    return new IgnoreRules(options, given, []);
  }

  /**
   * Whether something is left out, by itself: nobody asks about what is in a folder that is.
   *
   * @param path Path within the share, in the folder these rules are for.
   */
  leavesOut(path: string, isFolder: boolean): boolean {
    return (this.#decide(this.#given, path, isFolder) ??
      this.#decide(this.#found, path, isFolder)) === true;
  }

  /** The rules for what is in a folder that was given: patterns are relative to it. */
  under(folder: string): IgnoreRules {
    const base = folder.length + 1;
    return this.#with(this.#given.map(({ matcher }) => ({ base, matcher })), []);
  }

  /**
   * The rules for what is in a folder that is not left out.
   *
   * @param folder Its path within the share.
   * @param gitignore What its `.gitignore` says, if it has one.
   */
  inside(folder: string, gitignore: string | undefined): IgnoreRules {
    if (this.#given.length === 0) return this;
    const given = this.#given.map((level) => this.#reopened(level, folder));
    const found = this.#found.map((level) => this.#reopened(level, folder));
    if (gitignore !== undefined) {
      const matcher = ignore({ ignorecase: this.#foldsNames }).add(gitignore);
      found.unshift({ base: folder.length + 1, matcher });
    }
    return this.#with(given, found);
  }

  #with(given: readonly Level[], found: readonly Level[]): IgnoreRules {
    return new IgnoreRules(
      { gitignore: this.readsGitignore, foldsNames: this.#foldsNames },
      given,
      found,
    );
  }

  #decide(levels: readonly Level[], path: string, isFolder: boolean): boolean | undefined {
    for (const { base, matcher } of levels) {
      const own = path.slice(base);
      // The folder the level belongs to.
      if (own === "") continue;
      const { ignored, unignored } = matcher.test(isFolder ? `${own}/` : own);
      if (ignored || unignored) return ignored;
    }
    return undefined;
  }

  /**
   * A level for what is in a folder. Where it would leave the folder out and was overruled, its
   * patterns count for each thing in there by itself again.
   */
  #reopened(level: Level, folder: string): Level {
    const own = folder.slice(level.base);
    if (own === "" || !level.matcher.ignores(`${own}/`)) return level;
    const pattern = `!/${own.replace(/[\\*?[]/g, "\\$&")}/`;
    const matcher = ignore({ ignorecase: this.#foldsNames }).add(level.matcher).add({ pattern });
    return { base: level.base, matcher };
  }
}
