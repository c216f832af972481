/**
 * How this program was started, and so what to type to start it: here with other flags, or on the
 * other machine.
 */

/** Where the program comes from. */
export interface Installation {
  /** A compiled binary: permissions and flags are built in. */
  readonly compiled: boolean;
  /** URL of the program's entry module. */
  readonly moduleUrl: string;
  /** Quoting of command lines as `cmd.exe` wants it, not as POSIX shells do. */
  readonly windows: boolean;
}

/** Name of the published package. */
const PACKAGE = "jsr:@p2pft/cli";

/** What `deno run` is to be given for the entry module. */
export function moduleSpecifier(installation: Installation): string {
  const { moduleUrl } = installation;
  // Deno reports modules of a package by the address they came from, and wants them as jsr:.
  const jsr = /^https:\/\/jsr\.io\/(@[^/]+\/[^/]+)\/([^/]+)\/cli\.ts$/.exec(moduleUrl);
  if (jsr !== null) return `jsr:${jsr[1]}@${jsr[2]}`;
  return moduleUrl.startsWith("file:///") ? filePath(moduleUrl, installation.windows) : moduleUrl;
}

/** Where the program's own `deno.json` is, if it runs from a folder: beside the entry module. */
export function ownConfigPath(installation: Installation): string | undefined {
  const { moduleUrl, windows } = installation;
  if (!moduleUrl.startsWith("file:///")) return undefined;
  return filePath(new URL("deno.json", moduleUrl).href, windows);
}

function filePath(fileUrl: string, windows: boolean): string {
  const path = decodeURIComponent(fileUrl.slice("file://".length));
  return windows ? path.slice(1).replaceAll("/", "\\") : path;
}

/** One word of a command line, quoted where the shell would change it. */
function quoteWord(word: string, windows: boolean): string {
  if (windows) return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word.replaceAll('"', '""')}"`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command line to copy. */
export function commandLine(words: readonly string[], installation: Installation): string {
  return words.map((word) => quoteWord(word, installation.windows)).join(" ");
}

/** The one line to run on the other machine. */
export function receiveCommandLine(code: string, installation: Installation): string {
  return `${programOf(installation)} receive ${code}`;
}

/** The same for whoever is to give something. */
export function giveCommandLine(code: string, installation: Installation): string {
  return `${programOf(installation)} send PATH --to ${code}`;
}

function programOf({ compiled }: Installation): string {
  return compiled ? "p2pft" : `deno run -A ${PACKAGE}`;
}
