import assert from "node:assert/strict";
import { hasOpenPort } from "../../../lib/nat/pair_side.ts";
import { candidate, SHARER_HOST } from "./punch/_punch.ts";

Deno.test("hasOpenPort is true for a public port that a router opened or a person named", () => {
  for (const kind of ["mapped", "manual"] as const) {
    const candidates = [candidate("reflexive", SHARER_HOST, 1), candidate(kind, SHARER_HOST, 2)];
    assert.equal(hasOpenPort({ mapping: "unknown", candidates }, 4), true);
    assert.equal(hasOpenPort({ mapping: "unknown", candidates }, 6), false);
  }
});

Deno.test("hasOpenPort is false without a NAT, and for what leads nowhere outside", () => {
  const manual = [candidate("manual", SHARER_HOST, 2)];
  assert.equal(hasOpenPort({ mapping: "none", candidates: manual }, 4), false);
  const lan = [candidate("manual", "192.168.1.2", 2)];
  assert.equal(hasOpenPort({ mapping: "unknown", candidates: lan }, 4), false);
  const others = [candidate("reflexive", SHARER_HOST, 2), candidate("host", SHARER_HOST, 3)];
  assert.equal(hasOpenPort({ mapping: "unknown", candidates: others }, 4), false);
});
