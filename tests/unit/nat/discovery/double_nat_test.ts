import assert from "node:assert/strict";
import { type IpAddress, parseIpAddress } from "../../../../lib/nat/address.ts";
import {
  type DoubleNatEvidence,
  hintsAtDoubleNat,
} from "../../../../lib/nat/discovery/double_nat.ts";

const ip = (text: string): IpAddress => parseIpAddress(text)!;
const NOTHING: DoubleNatEvidence = {
  router: undefined,
  reflexive: undefined,
  local: [ip("192.168.1.2")],
  mapping: "endpoint_independent",
};

Deno.test("hintsAtDoubleNat believes a router whose outside is no Internet address", () => {
  for (const router of ["100.64.0.1", "10.0.0.1", "192.168.0.2"]) {
    assert.equal(hintsAtDoubleNat({ ...NOTHING, router: ip(router) }), true, router);
  }
});

Deno.test("hintsAtDoubleNat compares what the router and the servers say", () => {
  const router = ip("198.51.100.7");
  assert.equal(hintsAtDoubleNat({ ...NOTHING, router }), undefined, "no server said anything");
  assert.equal(hintsAtDoubleNat({ ...NOTHING, router, reflexive: router }), false);
  assert.equal(hintsAtDoubleNat({ ...NOTHING, router, reflexive: ip("198.51.100.8") }), true);
});

Deno.test("hintsAtDoubleNat takes a carrier's address on every interface for one", () => {
  const local = [ip("127.0.0.1"), ip("100.64.3.4"), ip("fe80::1"), ip("2001:db8::1")];
  assert.equal(hintsAtDoubleNat({ ...NOTHING, local }), true);
  const withLan = [...local, ip("192.168.1.2")];
  assert.equal(hintsAtDoubleNat({ ...NOTHING, local: withLan }), undefined, "perhaps a VPN");
  assert.equal(hintsAtDoubleNat({ ...NOTHING, mapping: "none" }), false);
  assert.equal(hintsAtDoubleNat(NOTHING), undefined);
});
