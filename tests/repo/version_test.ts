/**
 * Goal: one version, said alike everywhere.
 * Method: `deno.json`, the newest heading of CHANGELOG.md and what the program prints. Needs
 * --allow-read and --allow-run.
 */
import assert from "node:assert/strict";
import { fromFileUrl, PROJECT_ROOT, readProjectFile } from "./project_files.ts";

async function configuredVersion(): Promise<string> {
  const { version } = JSON.parse(await readProjectFile("deno.json")) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/);
  return version;
}

Deno.test("the newest entry of CHANGELOG.md is the version in deno.json", async () => {
  const headings = (await readProjectFile("CHANGELOG.md")).matchAll(/^## \[?([^\]\s]+)\]?/gm);
  const newest = Array.from(headings, (match) => match[1]!)
    .find((heading) => heading.toLowerCase() !== "unreleased");
  assert.equal(newest, await configuredVersion());
});

Deno.test("cli.ts --version prints the version in deno.json", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", fromFileUrl(new URL("cli.ts", PROJECT_ROOT)), "--version"],
    stdin: "null",
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  const [firstLine = ""] = new TextDecoder().decode(stdout).split("\n");
  assert.equal(firstLine.trim().split(" ").at(-1), await configuredVersion());
});
