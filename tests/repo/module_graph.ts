/**
 * The project's import graph as Deno itself sees it (`deno info --json`), type-only imports
 * included.
 */
import { fromFileUrl, listFiles, PROJECT_ROOT, projectPath } from "./project_files.ts";

/** One import. */
export interface Import {
  /** The importing file, relative to the project, with `/`. */
  readonly from: string;
  /** The imported file, relative to the project, or the full specifier of anything else. */
  readonly to: string;
  /** As written in the source. */
  readonly written: string;
  /** Whether it is loaded together with the importing file: no type, and not by `import()`. */
  readonly isStatic: boolean;
}

interface InfoDependency {
  readonly specifier: string;
  readonly isDynamic?: boolean;
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly type?: { readonly specifier?: string; readonly error?: string };
}

interface InfoModule {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly InfoDependency[];
}

/**
 * Every import of the TypeScript files under `folders` (and of the named files).
 *
 * @throws {Error} When a module does not load or a specifier does not resolve.
 */
export async function readImports(roots: readonly string[]): Promise<Import[]> {
  const files = (await Promise.all(roots.map((root) => listFiles(root, ".ts")))).flat();
  // One process for all: a file that imports every other.
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = files.map((file) =>
      `import ${JSON.stringify(new URL(file, PROJECT_ROOT).href)};`
    );
    await Deno.writeTextFile(entry, lines.join("\n"));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", fromFileUrl(new URL("deno.json", PROJECT_ROOT)), entry],
      stdin: "null",
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: InfoModule[] };
    return modules.flatMap(importsOf);
  } finally {
    await Deno.remove(entry);
  }
}

function importsOf({ specifier, error, dependencies = [] }: InfoModule): Import[] {
  const from = projectPath(specifier);
  if (from === undefined) return [];
  if (error !== undefined) throw new Error(`Cannot load ${from}: ${error}`);
  return dependencies.flatMap(({ specifier: written, isDynamic, code, type }) => {
    const failed = code?.error ?? type?.error;
    if (failed !== undefined) throw new Error(`Cannot resolve ${written} in ${from}: ${failed}`);
    const targets = new Set([code?.specifier, type?.specifier].filter((to) => to !== undefined));
    return [...targets].map((to) => ({
      from,
      to: projectPath(to) ?? to,
      written,
      isStatic: to === code?.specifier && isDynamic !== true,
    }));
  });
}
