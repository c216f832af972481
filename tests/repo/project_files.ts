/** Finds the project's own files for the tests that read the repository. */

/** The project's folder, as a URL that ends in a slash. */
export const PROJECT_ROOT = new URL("../../", import.meta.url);

/** The path of a `file:` URL in the system's own form. */
export function fromFileUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}

/** A `file:` URL as a path within the project, with `/`; undefined for anything outside it. */
export function projectPath(url: string): string | undefined {
  return url.startsWith(PROJECT_ROOT.href) ? url.slice(PROJECT_ROOT.href.length) : undefined;
}

/**
 * Every file whose name ends in `suffix` at or below `root`, sorted, as paths within the project.
 * `root` may be a file. What does not exist has no files.
 */
export async function listFiles(root: string, suffix: string): Promise<string[]> {
  const url = new URL(root, PROJECT_ROOT);
  try {
    if ((await Deno.stat(url)).isFile) return root.endsWith(suffix) ? [root] : [];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const found: string[] = [];
  for await (const entry of Deno.readDir(url)) {
    const path = `${root}/${entry.name}`;
    if (entry.isDirectory) found.push(...await listFiles(path, suffix));
    else if (entry.name.endsWith(suffix)) found.push(path);
  }
  return found.sort();
}

/** The text of a file of the project. */
export function readProjectFile(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, PROJECT_ROOT));
}
