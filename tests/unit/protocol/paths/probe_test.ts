import assert from "node:assert/strict";
import { PATH_VALID_MS } from "../../../../lib/protocol/params.ts";
import { PathProbe } from "../../../../lib/protocol/paths/probe.ts";
import { instant } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";

const PATH = { socket: 0, remote: { family: 4 as const, host: "192.0.2.1", port: 9 } };
const SIZES = { small: 38, padded: 1200 };

function newProbe(): { probe: PathProbe; send: (nowMs: number) => Uint8Array } {
  const probe = new PathProbe(PATH);
  const random = new Prng(1);
  return { probe, send: (nowMs) => probe.challenge(instant(nowMs), random, SIZES).data };
}

Deno.test("PathProbe asks at growing distances, and only so often", () => {
  const { probe, send } = newProbe();
  const sentAt: number[] = [];
  probe.begin(instant(0), { count: 5, intervalMs: 100, growth: 2 });
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
    probe.handleTimeout(instant(nowMs));
    if (!probe.isDue) continue;
    send(nowMs);
    sentAt.push(nowMs);
  }
  assert.deepEqual(sentAt, [0, 100, 300, 700, 1500]);
});

Deno.test("PathProbe takes the answer to any of its last challenges, once, for a minute", () => {
  const { probe, send } = newProbe();
  probe.begin(instant(0), { count: 3, intervalMs: 100 });
  const first = send(0);
  const second = send(100);
  assert.notDeepEqual(first, second);
  assert.equal(probe.answer(instant(150), new Uint8Array(8)), undefined);
  assert.equal(probe.isValid(instant(150)), false);
  assert.deepEqual(probe.answer(instant(250), first), { rttMs: 250, isPadded: false });
  assert.equal(probe.answer(instant(260), second), undefined);
  assert.equal(probe.isValid(instant(250 + PATH_VALID_MS - 1)), true);
  assert.equal(probe.isValid(instant(250 + PATH_VALID_MS)), false);
});

Deno.test("[PATH-3] PathProbe allows three times what came, until it was answered", () => {
  const { probe, send } = newProbe();
  assert.equal(probe.maySend(1), false);
  probe.handleReceived(40);
  probe.begin(instant(0), { count: 2, intervalMs: 100, isPadded: true });
  assert.equal(probe.maySend(120), true);
  assert.equal(probe.maySend(121), false);
  const data = send(0);
  assert.equal(probe.maySend(82), true);
  assert.equal(probe.maySend(83), false);
  assert.deepEqual(
    probe.answer(instant(5), data),
    { rttMs: 5, isPadded: false },
    "1200 is too much",
  );
  assert.equal(probe.maySend(1e9), true);
});
