/**
 * Goal: many clients that move cost few redraws, and what is shown is never old for long.
 * Method: 64 clients with ten progress events a second each, on a clock that is moved by hand.
 */
import assert from "node:assert/strict";
import type { TransferEvent } from "../../../lib/events.ts";
import { REDRAW_INTERVAL_MS, Status } from "../../../lib/cli/status.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import { EVENTS, FakeClock, FakeStreams } from "./_fake_world.ts";

function statusOf(isForMany: boolean) {
  const streams = new FakeStreams({ terminal: true });
  const clock = new FakeClock();
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: true });
  const status = new Status(terminal, { role: "send", isForMany, isPrivate: false, clock });
  let writeCount = 0;
  const write = streams.writeError.bind(streams);
  streams.writeError = (text) => {
    writeCount++;
    write(text);
  };
  const handle = (event: TransferEvent) => {
    status.handleEvent(event);
    status.show(event);
  };
  return { streams, clock, status, handle, writeCount: () => writeCount };
}

Deno.test("Status redraws at most ten times a second, however many clients move", () => {
  const { streams, clock, handle, writeCount } = statusOf(true);
  const sessions = Array.from({ length: 64 }, (_, index) => index + 1);
  for (const session of sessions) {
    handle({ ...EVENTS.connected, session });
    handle({ ...EVENTS.progress, session });
  }
  const before = writeCount();
  for (let tick = 0; tick < 20; tick++) {
    for (const session of sessions) {
      handle({ ...EVENTS.progress, session, rateBytesPerSecond: (tick + 1) * 1_000_000 });
    }
    clock.advance(50);
  }
  const redraws = writeCount() - before;
  assert.ok(redraws > 5 && redraws <= 11, `${redraws}`);
  // What came last is shown within the interval.
  for (const session of sessions) {
    handle({ ...EVENTS.progress, session, rateBytesPerSecond: 2_000_000 });
  }
  clock.advance(REDRAW_INTERVAL_MS);
  assert.equal(streams.screen.lines.at(-1), "64 clients, 0 served, 128 MB/s");
});

Deno.test("Status shows what else happens at once, and nothing after the end", () => {
  const { streams, clock, handle, writeCount } = statusOf(true);
  handle(EVENTS.code);
  handle(EVENTS.connected);
  handle({ ...EVENTS.connected, session: 2, address: "192.0.2.2:1" });
  assert.equal(streams.screen.lines.at(-1), "2 clients, 0 served, 0 B/s");
  handle(EVENTS.progress);
  handle({ ...EVENTS.progress, session: 2 });
  handle({ event: "closed", reason: "closed", clients: 0, bytes: 0, elapsedMs: 0, exit: 0 });
  assert.deepEqual(streams.screen.lines, [""]);
  const count = writeCount();
  clock.advance(1000);
  assert.equal(writeCount(), count);
});
