/**
 * Goal: who implements the protocol from docs/protocol.md gets the bytes that this program sends.
 * Method: every value of its section "Test vectors" is computed anew; both sides must have the same
 * names. The document comes in by import, so that no permission is needed.
 */
import assert from "node:assert/strict";
import document from "../../../docs/protocol.md" with { type: "text" };
import { identityVectors } from "./_identity_vectors.ts";
import { specVectors } from "./_spec_vectors.ts";

/** The values in blocks marked `vectors`: a name and a colon, then the value, indented. */
function documentedVectors(markdown: string): Map<string, string> {
  const vectors = new Map<string, string>();
  for (const [, block] of markdown.matchAll(/^```vectors\r?\n([^]*?)^```/gm)) {
    let name = "";
    for (const line of block!.split(/\r?\n/)) {
      const value = /^ {2}(.+)$/.exec(line)?.[1];
      if (value !== undefined) vectors.set(name, vectors.get(name)! + value);
      else if (line !== "") {
        name = line.replace(/:$/, "");
        assert.ok(!vectors.has(name), `${name} stands there twice`);
        vectors.set(name, "");
      }
    }
  }
  return vectors;
}

Deno.test("the test vectors of docs/protocol.md are what this program computes", () => {
  const documented = documentedVectors(document);
  assert.ok(documented.size > 40, `only ${documented.size} vectors were found`);
  const computed = [...specVectors(), ...identityVectors()];
  assert.deepEqual(Object.fromEntries(documented), Object.fromEntries(computed));
});

Deno.test("documentedVectors joins the lines of a value and leaves other blocks alone", () => {
  const markdown = "```vectors\na:\n  00\n  ff\n\nb c:\n  x y\n```\n```\nd:\n  1\n```\n";
  assert.deepEqual([...documentedVectors(markdown)], [["a", "00ff"], ["b c", "x y"]]);
});
