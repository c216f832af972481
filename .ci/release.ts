// deno-lint-ignore-file no-console -- a script: what it prints is what it is for
/**
 * What a release needs beside compiling, one task each:
 *
 * - `deno task release:check TAG`: the tag, deno.json and the top of CHANGELOG.md name one version,
 *   and the changelog gives its date;
 * - `deno task release:notes`: prints the changelog's section for this version;
 * - `deno task release:try`: the binary in `dist/` for this machine has its sum and runs.
 */
import config from "../deno.json" with { type: "json" };
import { binaryPath, hasItsSum, startBinary } from "./binaries.ts";
import { newestEntry } from "./changelog.ts";

/** What speaks against releasing `tag`; empty when nothing does. */
export function releaseProblems(tag: string, version: string, changelog: string): string[] {
  const problems: string[] = [];
  if (tag !== `v${version}`) {
    problems.push(`The tag is ${tag}, deno.json says version ${version}: expected v${version}`);
  }
  const entry = newestEntry(changelog);
  if (entry === undefined) {
    return [...problems, "CHANGELOG.md does not begin with an entry ## VERSION (DATE)"];
  }
  if (entry.version !== version) {
    problems.push(`CHANGELOG.md begins with ${entry.version}, deno.json says version ${version}`);
  }
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(entry.date)) {
    problems.push(`CHANGELOG.md gives ${entry.version} no date: it says ${entry.date}`);
  }
  if (entry.text === "") problems.push(`CHANGELOG.md says nothing about ${entry.version}`);
  return problems;
}

async function tryBinary(): Promise<string[]> {
  const path = binaryPath(Deno.build.target);
  if (!await hasItsSum(path)) return [`${path} does not have the sum in SHA256SUMS`];
  // Files lose this bit on their way through the store of a workflow.
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o755);
  const problem = await startBinary(path);
  return problem === undefined ? [] : [`Cannot run ${path}: ${problem}`];
}

async function main(args: readonly string[]): Promise<number> {
  const [command, tag] = args;
  let problems: readonly string[];
  if (command === "check" && tag !== undefined) {
    problems = releaseProblems(tag, config.version, await Deno.readTextFile("CHANGELOG.md"));
  } else if (command === "notes") {
    const entry = newestEntry(await Deno.readTextFile("CHANGELOG.md"));
    if (entry !== undefined) console.log(entry.text);
    problems = entry === undefined ? ["CHANGELOG.md has no entry ## VERSION (DATE)"] : [];
  } else if (command === "try") {
    problems = await tryBinary();
  } else {
    problems = ["Use release.ts check TAG, release.ts notes or release.ts try"];
  }
  for (const problem of problems) console.error(`error: ${problem}`);
  return problems.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
