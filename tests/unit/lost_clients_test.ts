import assert from "node:assert/strict";
import { LostClients } from "../../lib/lost_clients.ts";

const keyOf = (index: number): Uint8Array =>
  new Uint8Array(32).fill(index, 0, 1).fill(index >> 8, 1);

Deno.test("LostClients knows a client by its key, once, and closes its door [AGAIN-1]", () => {
  const clients = new LostClients();
  const closed: number[] = [];
  clients.add(keyOf(1), 3, { close: () => void closed.push(3) });
  assert.equal(clients.take(keyOf(2)), undefined);
  assert.deepEqual(closed, []);
  assert.equal(clients.take(keyOf(1)), 3);
  assert.deepEqual(closed, [3]);
  assert.equal(clients.take(keyOf(1)), undefined);
});

Deno.test("LostClients remembers 256 clients and keeps 16 doors open", () => {
  const clients = new LostClients();
  const open = new Set<number>();
  for (let index = 0; index < 300; index++) {
    open.add(index);
    clients.add(keyOf(index), index, { close: () => void open.delete(index) });
  }
  assert.equal(open.size, 16);
  assert.equal(clients.take(keyOf(43)), undefined);
  assert.equal(clients.take(keyOf(44)), 44);
  assert.equal(clients.take(keyOf(299)), 299);
  clients.close();
  assert.equal(open.size, 0);
  assert.equal(clients.take(keyOf(298)), undefined);
});
