import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_LABEL_BYTES } from "../../../lib/lan/limits.ts";
import { canonicalName, labelOf, shareLabel, shareName } from "../../../lib/lan/service_names.ts";

Deno.test("shareLabel keeps a name as it is where it fits", () => {
  assert.equal(shareLabel("Anna’s laptop"), "Anna’s laptop");
  assert.equal(shareLabel("Anna", " (2)"), "Anna (2)");
  assert.equal(shareLabel("  a\nb\u0000\u0001c "), "a b c");
  assert.equal(shareLabel(""), "p2pft");
  assert.equal(shareLabel(" \t ", " (3)"), "p2pft (3)");
  // A dot would end the label.
  assert.equal(shareLabel("v1.2"), "v1\u20242");
});

Deno.test("shareLabel fits any name into a label that is read back", () => {
  const suffix = fc.constantFrom("", " (2)", " (0123456789abcdef)");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), suffix, (name, suffix) => {
    const label = shareLabel(name, suffix);
    assert.ok(new TextEncoder().encode(label).length <= MAX_LABEL_BYTES);
    assert.ok(label.isWellFormed() && label.endsWith(suffix) && !label.includes("."));
    assert.doesNotMatch(label, /\p{Cc}/u);
    assert.equal(labelOf(shareName(label)), label);
  }));
});

Deno.test("labelOf knows names of shares in any case, and no others", () => {
  assert.equal(labelOf("Anna._P2PFT._UDP.Local"), "Anna");
  for (const name of ["_p2pft._udp.local", "._p2pft._udp.local", "Anna._p2pft._tcp.local", ""]) {
    assert.equal(labelOf(name), undefined, name);
  }
  assert.equal(labelOf(shareName("x".repeat(MAX_LABEL_BYTES + 1))), undefined);
});

Deno.test("canonicalName changes the letters of ASCII only", () => {
  assert.equal(canonicalName("ÄAZ\u212A"), "Äaz\u212A");
});
