import assert from "node:assert/strict";
import { EventQueue } from "../../../lib/operation/event_queue.ts";

const never = { subjectOf: () => 0, isReplaceable: () => false };

async function rest<T>(queue: EventQueue<T>): Promise<T[]> {
  const events: T[] = [];
  for await (const event of queue) events.push(event);
  return events;
}

Deno.test("EventQueue gives events in order, also those that wait at the end", async () => {
  const queue = new EventQueue<number>(never);
  queue.push(1);
  queue.push(2);
  queue.end();
  queue.push(3);
  assert.deepEqual(await rest(queue), [1, 2]);
  assert.deepEqual(await queue.next(), { done: true, value: undefined });
});

Deno.test("EventQueue replaces only the last event of a subject, and only while it waits", async () => {
  const queue = new EventQueue<string>({
    subjectOf: (event) => event === "-" ? undefined : Number(event[0]),
    isReplaceable: (earlier, later) => earlier[1] === "p" && later[1] === "p",
  });
  for (const event of ["1p1", "2p1", "-", "1p2", "2p2", "1d", "1p3", "-", "1p4", "2d"]) {
    queue.push(event);
  }
  queue.end();
  assert.deepEqual(await rest(queue), ["1p2", "2p2", "-", "1d", "1p4", "-", "2d"]);
  const read = new EventQueue<string>({ subjectOf: () => 1, isReplaceable: () => true });
  const first = read.next();
  read.push("1");
  read.push("2");
  assert.equal((await first).value, "1");
  assert.equal((await read.next()).value, "2");
});

Deno.test("EventQueue gives each of several readers an event, and all of them the end", async () => {
  const queue = new EventQueue<number>(never);
  const readers = [queue.next(), queue.next(), queue.next(), queue.next()];
  queue.push(1);
  queue.push(2);
  queue.end();
  const results = await Promise.all(readers);
  assert.deepEqual(results.map(({ value }) => value), [1, 2, undefined, undefined]);
  assert.deepEqual(results.map(({ done }) => done), [false, false, true, true]);
});
