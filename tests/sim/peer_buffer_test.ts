/**
 * Goal: a sender that knows what the peer's socket holds does not overrun it, whatever the congestion
 * control, and is as fast as without; one that does not know overruns it.
 * Method: two connections over a short path into a program that takes 90 MB/s out of a buffer of 92
 * datagrams, drop-tail; virtual time.
 */
import assert from "node:assert/strict";
import type { CongestionName } from "../../lib/protocol/congestion/choose.ts";
import { defaultParameters } from "../../lib/protocol/transport_parameters.ts";
import { ConnectionPair } from "../support/connection_pair.ts";
import { SimWorld } from "../support/sim_world.ts";

const BUFFER_BYTES = 92 * 1500;
const TOLD_BYTES = 79_872;
const RATE = 90_000_000;
const BYTES = 4_000_000;

function run(receiveBufferBytes: number, congestion: CongestionName) {
  const world = new SimWorld(1);
  const remote = { ...defaultParameters(new Uint8Array(6).fill(1)), receiveBufferBytes };
  const pair = new ConnectionPair(
    world,
    {
      forth: { delayMs: 0.05, rateBytesPerSecond: RATE, queueBytes: BUFFER_BYTES },
      back: { delayMs: 0.05 },
    },
    { remote, congestion },
  );
  pair.a.queue(BYTES);
  world.run({ untilMs: 10_000, until: () => pair.b.receivedBytes >= BYTES });
  return { ms: world.nowMs, dropped: pair.forth.model.counters.queueDropped };
}

for (const congestion of ["bbr", "cubic"] as const) {
  Deno.test(`[CC-2] ${congestion} does not overrun a buffer it knows, and is as fast`, () => {
    const told = run(TOLD_BYTES, congestion);
    assert.equal(told.dropped, 0);
    const untold = run(0, congestion);
    assert.ok(told.ms < 1.1 * untold.ms, `${told.ms} ms, ${untold.ms} without`);
  });
}

Deno.test("a buffer that is not known is overrun", () => {
  assert.ok(run(0, "cubic").dropped > 0);
});
