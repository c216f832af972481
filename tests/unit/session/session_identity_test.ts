/** Whole sessions are in tests/sim/identity_test.ts. */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { IdentityReport } from "../../../lib/events.ts";
import { OwnIdentity } from "../../../lib/session/own_identity.ts";
import { SessionIdentity } from "../../../lib/session/session_identity.ts";
import { makePair } from "../../support/identity_people.ts";
import { Prng } from "../../support/prng.ts";

Deno.test("SessionIdentity finds out who was sent away while it looked who that is", async () => {
  const random = new Prng(1);
  const { alice, bob } = await makePair(random);
  const own = await OwnIdentity.open(alice.shown, { provider: nodeProvider, random });
  const banned = new Set<string>();
  const told: IdentityReport[] = [];
  const session = () =>
    new SessionIdentity({
      own,
      role: "sharer",
      handshakeHash: new Uint8Array(32),
      exporter: undefined,
      expected: undefined,
      banned,
      onIdentity: (report) => told.push(report),
      onNotKept: () => {},
    });
  const before = session();
  await before.exchange.onIdentity!(bob.publicKey);
  assert.deepEqual(told.map(({ name }) => name), ["bob"]);
  const meanwhile = session();
  assert.equal(meanwhile.exchange.findProblem!(bob.publicKey), undefined);
  const known = meanwhile.exchange.onIdentity!(bob.publicKey);
  banned.add(bob.fingerprint);
  await assert.rejects(known, { code: "refused" });
  assert.equal(meanwhile.report, undefined);
  assert.equal(told.length, 1);
  assert.equal(session().exchange.findProblem!(bob.publicKey)?.code, "refused");
});
