/** The compiled program: for which systems, in which files, with which sums, and whether it runs. */
import config from "../deno.json" with { type: "json" };

/** Every system there is a binary for, by the names of `deno compile --target`. */
export const TARGETS: readonly string[] = [
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
  "x86_64-apple-darwin",
  "aarch64-apple-darwin",
  "x86_64-pc-windows-msvc",
  "aarch64-pc-windows-msvc",
];

/** Where the binaries are put. */
export const DIRECTORY = "dist";

const SUMS_PATH = `${DIRECTORY}/SHA256SUMS`;
const PREFIX = `p2pft-${config.version}-`;

/** The path of the binary for one target. */
export function binaryPath(target: string): string {
  return `${DIRECTORY}/${PREFIX}${target}${target.includes("windows") ? ".exe" : ""}`;
}

/** Writes the sums of all binaries of this version, in lines that `sha256sum -c` reads. */
export async function writeSums(): Promise<void> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(DIRECTORY)) {
    if (name.startsWith(PREFIX)) names.push(name);
  }
  const lines: string[] = [];
  for (const name of names.sort()) lines.push(`${await sumOf(`${DIRECTORY}/${name}`)}  ${name}\n`);
  await Deno.writeTextFile(SUMS_PATH, lines.join(""));
}

/** Whether a binary is the one its sum was written for. */
export async function hasItsSum(path: string): Promise<boolean> {
  const name = path.slice(`${DIRECTORY}/`.length);
  const sums = await Deno.readTextFile(SUMS_PATH);
  return sums.split("\n").includes(`${await sumOf(path)}  ${name}`);
}

async function sumOf(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await Deno.readFile(path))).toHex();
}

/**
 * Starts a binary and looks at the version it prints.
 *
 * @returns What is wrong with it, or undefined.
 */
export async function startBinary(path: string): Promise<string | undefined> {
  const { code, stdout } = await new Deno.Command(path, {
    args: ["--version"],
    stdin: "null",
    stderr: "inherit",
  }).output();
  const shown = new TextDecoder().decode(stdout).trim();
  if (code === 0 && shown === `p2pft ${config.version}`) return undefined;
  return `it ended with status ${code} and printed ${JSON.stringify(shown)}`;
}
