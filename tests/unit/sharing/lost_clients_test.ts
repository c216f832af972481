import assert from "node:assert/strict";
import { type LostClient, LostClients } from "../../../lib/sharing/lost_clients.ts";
import { TakingRun } from "../../../lib/session/taking_run.ts";
import { instant } from "../../../lib/time.ts";

const keyOf = (index: number): Uint8Array =>
  new Uint8Array(32).fill(index, 0, 1).fill(index >> 8, 1);

const lost = (index: number, close: () => void = () => {}): LostClient => ({
  key: keyOf(index),
  session: index,
  address: "192.0.2.1:1",
  endsAt: instant(index),
  taking: new TakingRun(),
  door: { close },
});

Deno.test("LostClients knows a client by its key, once, and closes its door [AGAIN-1]", () => {
  const clients = new LostClients();
  const closed: number[] = [];
  clients.add(lost(3, () => closed.push(3)));
  assert.equal(clients.take(keyOf(2)), undefined);
  assert.deepEqual(closed, []);
  assert.equal(clients.take(keyOf(3))?.session, 3);
  assert.deepEqual(closed, [3]);
  assert.equal(clients.take(keyOf(3)), undefined);
});

Deno.test("LostClients knows a client by the number of its session, once", () => {
  const clients = new LostClients();
  const closed: number[] = [];
  clients.add(lost(3, () => closed.push(3)));
  clients.add(lost(4));
  assert.equal(clients.takeOf(5), undefined);
  assert.deepEqual(clients.takeOf(3)?.key, keyOf(3));
  assert.deepEqual(closed, [3]);
  assert.equal(clients.takeOf(3), undefined);
  assert.equal(clients.take(keyOf(3)), undefined);
});

Deno.test("LostClients tells until when the last of them is waited for", () => {
  const clients = new LostClients();
  assert.ok(clients.endsAt < instant(0));
  for (const index of [7, 9, 8]) clients.add(lost(index));
  assert.equal(clients.endsAt, instant(9));
  clients.take(keyOf(9));
  assert.equal(clients.endsAt, instant(8));
});

Deno.test("LostClients remembers 256 clients and keeps 16 doors open", () => {
  const clients = new LostClients();
  const open = new Set<number>();
  for (let index = 0; index < 300; index++) {
    open.add(index);
    clients.add(lost(index, () => open.delete(index)));
  }
  assert.equal(open.size, 16);
  assert.equal(clients.take(keyOf(43)), undefined);
  assert.equal(clients.take(keyOf(44))?.session, 44);
  assert.equal(clients.take(keyOf(299))?.session, 299);
  clients.close();
  assert.equal(open.size, 0);
  assert.equal(clients.take(keyOf(298)), undefined);
});
