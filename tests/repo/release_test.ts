/**
 * Goal: a release that names one version, and workflows that run what exists.
 * Method: the real files, and small changelogs made to be wrong in each way. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { newestEntry } from "../../.ci/changelog.ts";
import { releaseProblems } from "../../.ci/release.ts";
import config from "../../deno.json" with { type: "json" };
import { listFiles, readProjectFile } from "./project_files.ts";

const CHANGELOG = `# Changelog

## 1.2.3 (2030-05-06)

Wire version: 1

### Added

- One thing

## 1.2.2 (2030-01-01)

- Older
`;

Deno.test("newestEntry gives version, date and text of the topmost entry", () => {
  assert.deepEqual(newestEntry(CHANGELOG), {
    version: "1.2.3",
    date: "2030-05-06",
    text: "Wire version: 1\n\n### Added\n\n- One thing",
  });
  assert.deepEqual(newestEntry(CHANGELOG.replaceAll("\n", "\r\n")), newestEntry(CHANGELOG));
});

Deno.test("newestEntry refuses a heading of another form", () => {
  assert.equal(newestEntry("# Changelog\n\n## Unreleased\n\n## 1.2.3 (2030-05-06)\n"), undefined);
  assert.equal(newestEntry("# Changelog\n"), undefined);
});

Deno.test("releaseProblems is content when tag, version and changelog agree", () => {
  assert.deepEqual(releaseProblems("v1.2.3", "1.2.3", CHANGELOG), []);
});

Deno.test("releaseProblems names another tag, version, date or an empty section", () => {
  assert.equal(releaseProblems("1.2.3", "1.2.3", CHANGELOG).length, 1);
  assert.equal(releaseProblems("v1.2.4", "1.2.4", CHANGELOG).length, 1);
  assert.equal(
    releaseProblems("v1.2.3", "1.2.3", CHANGELOG.replace("2030-05-06", "unreleased")).length,
    1,
  );
  assert.equal(releaseProblems("v1.2.3", "1.2.3", "## 1.2.3 (2030-05-06)\n").length, 1);
  assert.equal(releaseProblems("v1.2.3", "1.2.3", "").length, 1);
});

const WORKFLOWS = await listFiles(".github/workflows", ".yml");

Deno.test("the tested version of Deno is the same wherever it is named", async () => {
  const tested = /^version=([0-9.]+)$/m.exec(await readProjectFile(".ci/run"))?.[1];
  assert.ok(tested !== undefined);
  for (const path of ["README.md", "CONTRIBUTING.md", ...WORKFLOWS]) {
    const named = (await readProjectFile(path)).matchAll(
      /(?<!-)\bdeno@([0-9.]+[0-9])|deno-version: "?([0-9][0-9.]*)|deno: \["([0-9.]+)"/g,
    );
    const versions = new Set(Array.from(named, ([, a, b, c]) => a ?? b ?? c));
    assert.deepEqual([...versions], [tested], path);
  }
});

Deno.test("every action of a workflow is pinned by a full commit hash with its version", async () => {
  let count = 0;
  for (const path of WORKFLOWS) {
    for (const [line, action] of (await readProjectFile(path)).matchAll(/uses: (\S+).*/g)) {
      if (action!.startsWith("./")) continue;
      assert.match(line, /uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v[0-9.]+$/, path);
      count++;
    }
  }
  assert.ok(count > 0);
});

Deno.test("every task that a workflow or a document names exists", async () => {
  const documents = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ".ci/run"];
  let count = 0;
  for (const path of [...WORKFLOWS, ...documents]) {
    const text = await readProjectFile(path);
    for (
      const [, task] of text.matchAll(/\b(?:deno|deno@[0-9.]+|check) task ([a-z]+(?::[a-z0-9]+)?)/g)
    ) {
      assert.ok(Object.hasOwn(config.tasks, task!), `${path}: ${task}`);
      count++;
    }
  }
  assert.ok(count > 0);
});
