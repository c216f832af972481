import assert from "node:assert/strict";
import { normalizedAddress } from "../../../lib/transport/normalized_address.ts";

const CASES: [4 | 6, string, 4 | 6, string][] = [
  [4, "192.0.2.1", 4, "192.0.2.1"],
  [6, "::ffff:192.0.2.1", 4, "192.0.2.1"],
  [6, "2001:db8::1", 6, "2001:db8::1"],
  [6, "fe80::1%eth0", 6, "fe80::1"],
  [6, "::1", 6, "::1"],
  // Begins alike and is a real IPv6 address all the same.
  [6, "::ffff:0:1:2", 6, "::ffff:0:1:2"],
];

for (const [socketFamily, host, family, expected] of CASES) {
  Deno.test(`normalizedAddress turns ${host} of an IPv${socketFamily} socket into ${expected}`, () => {
    assert.deepEqual(normalizedAddress(socketFamily, host, 5), { family, host: expected, port: 5 });
  });
}
