import assert from "node:assert/strict";
import { PunchTargets } from "../../../../lib/nat/punch/targets.ts";
import { candidate, ipv4 } from "./_punch.ts";

const IPV4 = { index: 3, family: 4 } as const;
const IPV6 = { index: 5, family: 6 } as const;

Deno.test("PunchTargets asks each candidate once, the NAT first, from the socket of its family", () => {
  const targets = new PunchTargets([
    candidate("host", "192.168.1.2", 5000),
    candidate("host", "2001:db8::1", 5000),
    candidate("mapped", "203.0.113.9", 6000),
    candidate("reflexive", "203.0.113.9", 5000),
    candidate("host", "192.168.1.2", 5000),
  ], [IPV4, { index: 4, family: 4 }, IPV6]);
  assert.deepEqual(
    targets.plain.map(({ socket, candidate: { address } }) => [socket, address.host, address.port]),
    [
      [3, "203.0.113.9", 5000],
      [3, "192.168.1.2", 5000],
      [5, "2001:db8::1", 5000],
      [3, "203.0.113.9", 6000],
    ],
  );
  assert.equal(targets.nat?.candidate.kind, "reflexive");
  assert.equal(targets.candidateAt(ipv4("203.0.113.9", 6000))?.kind, "mapped");
  assert.equal(targets.candidateAt(ipv4("203.0.113.9", 6001)), undefined);
});

Deno.test("PunchTargets leaves out families without a socket and addresses that are nobody's", () => {
  const targets = new PunchTargets([
    candidate("host", "2001:db8::1", 5000),
    candidate("reflexive", "224.0.0.1", 5000),
    candidate("reflexive", "255.255.255.255", 5000),
    candidate("reflexive", "0.0.0.0", 5000),
  ], [IPV4]);
  assert.deepEqual(targets.plain, []);
  assert.equal(targets.nat, undefined);
});

Deno.test("PunchTargets takes only public IPv4 for a NAT whose ports may be tried", () => {
  for (const host of ["192.168.1.2", "10.1.2.3", "100.64.1.1", "127.0.0.1", "2001:db8::1"]) {
    const { nat } = new PunchTargets([candidate("reflexive", host, 5000)], [IPV4, IPV6]);
    assert.equal(nat, undefined, host);
  }
  const { nat } = new PunchTargets([candidate("manual", "203.0.113.9", 1)], [IPV4]);
  assert.equal(nat?.candidate.address.port, 1);
});

Deno.test("PunchTargets answers loopback only to a peer whose code names it", () => {
  const far = new PunchTargets([candidate("reflexive", "203.0.113.9", 5000)], [IPV4]);
  const near = new PunchTargets([candidate("host", "127.0.0.1", 5000)], [IPV4]);
  assert.ok(!far.mayAnswer(ipv4("127.0.0.1", 5000)));
  assert.ok(near.mayAnswer(ipv4("127.0.0.1", 6000)));
  assert.ok(far.mayAnswer(ipv4("198.51.100.7", 1)));
  assert.ok(!far.mayAnswer(ipv4("198.51.100.7", 0)));
  assert.ok(!far.mayAnswer(ipv4("224.0.0.1", 5000)));
});
