import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { CLEAN_END_MS, type Operation, runOperation } from "../../../lib/cli/run_operation.ts";
import { TransferError } from "../../../lib/errors.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import { EVENTS, FakeClock, operationOf, ScriptedOperation } from "./_fake_world.ts";

/** Runs what `start` gives and collects what is reported. */
function run(start: () => Operation | Promise<Operation>) {
  const clock = new FakeClock();
  const interrupt = new AbortController();
  const events: TransferEvent[] = [];
  const exceptions: unknown[] = [];
  const exit = runOperation({
    start,
    reporter: {
      handleEvent: (event) => void events.push(event),
      handleException: (error) => void exceptions.push(error),
    },
    signal: interrupt.signal,
    clock,
  });
  return { clock, interrupt, events, exceptions, exit };
}

const codeOf = (event: TransferEvent | undefined) => event?.event === "error" ? event.code : "";

Deno.test("runOperation reports every event and ends with the status of done", async () => {
  const operation = operationOf(EVENTS.connected, { ...EVENTS.done, exit: 13 });
  const { exit, events } = run(() => operation);
  assert.equal(await exit, 13);
  assert.deepEqual(events.map((event) => event.event), ["connected", "done"]);
  assert.equal(operation.closed, 1);
});

Deno.test("runOperation ends with the status of a fatal error", async () => {
  assert.equal(await run(() => operationOf(EVENTS.refused)).exit, 5);
});

Deno.test("runOperation goes on after the error of one session", async () => {
  const lost = { ...EVENTS.refused, fatal: false };
  assert.equal(await run(() => operationOf(lost, EVENTS.done)).exit, 0);
});

Deno.test("runOperation ends with the status of the worse half of a session", async () => {
  const exitOf = (...events: TransferEvent[]) => run(() => operationOf(...events)).exit;
  const kept = { ...EVENTS.done, exit: 13 };
  const back = { ...EVENTS.done, back: true } as const;
  assert.equal(await exitOf(kept, back), 13);
  assert.equal(await exitOf(EVENTS.done, { ...back, exit: 14 }), 14);
  assert.equal(await exitOf(EVENTS.done, back), 0);
  // What was left out for a client that came before is over with its session.
  assert.equal(await exitOf(kept, { ...EVENTS.done, session: kept.session + 1 }), 0);
  assert.equal(await exitOf(kept, back, { ...EVENTS.refused, fatal: true }), 5);
});

Deno.test("runOperation reports what is thrown by its code", async () => {
  const { exit, events, exceptions } = run(() => {
    throw new TransferError("read_failed", "Cannot read x");
  });
  assert.equal(await exit, 10);
  assert.equal(codeOf(events[0]), "read_failed");
  assert.equal(exceptions.length, 1);
});

Deno.test("runOperation takes a TypeError of the call for usage and a later one for a bug", async () => {
  const atCall = run(() => Promise.reject(new TypeError("Bad address")));
  assert.equal(await atCall.exit, 2);
  const later = run(() =>
    // deno-lint-ignore require-yield
    new ScriptedOperation((async function* () {
      await Promise.resolve();
      throw new TypeError("undefined is not a function");
    })())
  );
  assert.equal(await later.exit, 1);
});

Deno.test("runOperation calls an end without a result a bug", async () => {
  const { exit, events } = run(() => operationOf(EVENTS.connected));
  assert.equal(await exit, 1);
  assert.equal(codeOf(events.at(-1)), "internal");
});

Deno.test("runOperation ends with 130 when the operation ends in time after Ctrl-C", async () => {
  let interrupted = () => {};
  const isInterrupted = new Promise<void>((resolve) => interrupted = resolve);
  const { exit, events, interrupt } = run(() =>
    new ScriptedOperation((async function* () {
      yield EVENTS.code;
      await isInterrupted;
    })())
  );
  interrupt.abort();
  interrupted();
  assert.equal(await exit, 130);
  assert.deepEqual(events.map(codeOf), ["", "interrupted"]);
});

Deno.test("runOperation does not wait for an operation that hangs after Ctrl-C", async () => {
  const { exit, events, interrupt, clock } = run(() => new Promise<Operation>(() => {}));
  interrupt.abort();
  clock.advance(CLEAN_END_MS);
  assert.equal(await exit, 130);
  assert.deepEqual(events.map(codeOf), ["interrupted"]);
});

Deno.test("runOperation reports nothing after it ended", async () => {
  let goOn = () => {};
  const { exit, events, interrupt, clock } = run(() =>
    new ScriptedOperation((async function* () {
      await new Promise<void>((resolve) => goOn = resolve);
      yield EVENTS.done;
    })())
  );
  await Promise.resolve();
  interrupt.abort();
  clock.advance(CLEAN_END_MS);
  assert.equal(await exit, 130);
  goOn();
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  assert.deepEqual(events.map(codeOf), ["interrupted"]);
});

Deno.test("runOperation notices Ctrl-C in a flood of events", async () => {
  const floodLength = 50_000;
  let isInterrupted = false;
  const { exit, events, interrupt } = run(() =>
    new ScriptedOperation((async function* () {
      for (let count = 0; count < floodLength && !isInterrupted; count++) {
        yield await Promise.resolve({ event: "warning", code: "kept", message: "x" } as const);
      }
    })())
  );
  // As a signal does, it comes between two turns of the event loop.
  setImmediate(() => {
    isInterrupted = true;
    interrupt.abort();
  });
  assert.equal(await exit, 130);
  assert.ok(events.length < floodLength, `${events.length} events`);
});
