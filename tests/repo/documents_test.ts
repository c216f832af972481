/**
 * Goal: documents point at what is there, and code at what the documents say.
 * Method: every relative link of every document, with its heading; every path of a source that a
 * document names in backticks; every heading of a document that a source names. Needs --allow-read.
 */
import assert from "node:assert/strict";
import { listFiles, PROJECT_ROOT, readProjectFile } from "./project_files.ts";

const ROOT_DOCUMENTS = ["README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY", "CHANGELOG"];
const DOCUMENTS = [
  ...ROOT_DOCUMENTS.map((name) => `${name}.md`),
  ...await listFiles("docs", ".md"),
];

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(new URL(path, PROJECT_ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Text without fenced code, where brackets are no links. */
function prose(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

/** The name by which a heading can be linked to, as GitHub makes it. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
}

Deno.test("anchorOf makes names of headings as GitHub does", () => {
  assert.equal(anchorOf("Known weak points"), "known-weak-points");
  assert.equal(anchorOf("`send PATH…`, and more"), "send-path-and-more");
});

Deno.test("every relative link of the documents leads somewhere", async () => {
  const broken: string[] = [];
  let count = 0;
  for (const document of DOCUMENTS) {
    const links = prose(await readProjectFile(document)).matchAll(/\]\(([^)\s]+)\)/g);
    for (const [, link] of links) {
      if (/^[a-z]+:/.test(link!)) continue;
      count++;
      const [path, anchor] = link!.split("#") as [string, string?];
      const folder = new URL(document, PROJECT_ROOT);
      const target = path === "" ? folder : new URL(path, folder);
      const file = decodeURIComponent(target.pathname.slice(PROJECT_ROOT.pathname.length));
      if (!await exists(file)) broken.push(`${document}: ${link}`);
      else if (anchor !== undefined) {
        const headings = (await readProjectFile(file)).matchAll(/^#+ (.+)$/gm);
        const anchors = Array.from(headings, ([, heading]) => anchorOf(heading!));
        if (!anchors.includes(anchor)) broken.push(`${document}: ${link}`);
      }
    }
  }
  assert.ok(count > 0);
  assert.deepEqual(broken, []);
});

Deno.test("every source that a document names exists", async () => {
  const missing: string[] = [];
  let count = 0;
  for (const document of DOCUMENTS) {
    const names = (await readProjectFile(document)).matchAll(
      /`((?:lib|tests|bench|docs|\.ci|\.github)\/[\w./-]*)`/g,
    );
    for (const [, name] of names) {
      count++;
      if (!await exists(name!)) missing.push(`${document}: ${name}`);
    }
  }
  assert.ok(count > 0);
  assert.deepEqual(missing, []);
});

Deno.test("every heading of a document that a source names exists", async () => {
  const sources = await Promise.all(
    ["lib", "tests", "bench"].map((root) => listFiles(root, ".ts")),
  );
  const missing: string[] = [];
  let count = 0;
  for (const source of sources.flat()) {
    // A line of a comment may end between the two.
    const named = (await readProjectFile(source)).matchAll(
      /(docs\/[a-z_]+\.md),\s+(?:\*\s+)?"([^"\n]+)"/g,
    );
    for (const [, document, heading] of named) {
      count++;
      const headings = (await readProjectFile(document!)).matchAll(/^#+ (.+)$/gm);
      if (!Array.from(headings, ([, text]) => text).includes(heading)) {
        missing.push(`${source}: ${document}, "${heading}"`);
      }
    }
  }
  assert.ok(count > 0);
  assert.deepEqual(missing, []);
});
