import assert from "node:assert/strict";
import { ExtraSockets, SocketAllowance } from "../../../lib/transport/extra_sockets.ts";
import { MemoryNetwork } from "../../../lib/transport/memory_network.ts";
import type { DatagramSocket } from "../../../lib/transport/socket.ts";

/** Holds sockets by index as an endpoint does. */
class Holder {
  readonly sockets = new Map<number, DatagramSocket>();
  #next = 2;

  addSocket(socket: DatagramSocket): number {
    this.sockets.set(this.#next, socket);
    return this.#next++;
  }

  removeSocket(index: number): void {
    this.sockets.get(index)!.close();
    this.sockets.delete(index);
  }
}

function network(limit = Infinity) {
  const memory = new MemoryNetwork();
  let opened = 0;
  return (family: 4 | 6, port: number): Promise<DatagramSocket> => {
    if (opened++ >= limit) return Promise.reject(new Error("no descriptor is left"));
    return new Promise((resolve) =>
      resolve(memory.bind(family === 4 ? "10.0.0.1" : "fd00::1", port))
    );
  };
}

Deno.test("ExtraSockets hands sockets over and closes each once", async () => {
  const holder = new Holder();
  const allowance = new SocketAllowance(10);
  const extra = new ExtraSockets(holder, network(), allowance);
  assert.deepEqual(await extra.take(4, 3), [2, 3, 4]);
  assert.deepEqual(await extra.take(6, 1), [5]);
  assert.deepEqual([...holder.sockets.values()].map(({ family }) => family), [4, 4, 4, 6]);
  extra.release(3);
  extra.release(3);
  extra.release(0);
  assert.equal(extra.count, 3);
  assert.deepEqual([...holder.sockets.keys()], [2, 4, 5]);
  extra.closeAll();
  assert.equal(holder.sockets.size, 0);
  assert.equal(extra.count, 0);
  let left = 0;
  while (allowance.take()) left++;
  assert.equal(left, 10, "every one was given back, none twice");
});

Deno.test("ExtraSockets opens one on a certain port, unless that is taken or there is none", async () => {
  const holder = new Holder();
  const allowance = new SocketAllowance(2);
  const extra = new ExtraSockets(holder, network(), allowance);
  assert.equal(await extra.takeAt(4, 4001), 2);
  assert.equal(holder.sockets.get(2)!.localAddress.port, 4001);
  assert.equal(await extra.takeAt(4, 4001), undefined);
  assert.equal(await extra.takeAt(4, 65_536), undefined);
  assert.equal(await extra.takeAt(4, 4002), 3, "what failed was given back");
  assert.equal(await extra.takeAt(4, 4003), undefined, "the allowance is used up");
});

Deno.test("ExtraSockets of one process share an allowance", async () => {
  const allowance = new SocketAllowance(5);
  const open = network();
  const [first, second] = [new Holder(), new Holder()].map((holder) =>
    new ExtraSockets(holder, open, allowance)
  );
  const [some, others] = await Promise.all([first!.take(4, 4), second!.take(4, 4)]);
  assert.equal(some.length + others.length, 5);
  assert.deepEqual(await first!.take(4, 1), []);
  second!.closeAll();
  assert.equal((await first!.take(4, 4)).length, others.length);
});

Deno.test("ExtraSockets gets along with those the system gives", async () => {
  const holder = new Holder();
  const allowance = new SocketAllowance(10);
  const extra = new ExtraSockets(holder, network(3), allowance);
  assert.equal((await extra.take(4, 8)).length, 3);
  assert.deepEqual(await extra.take(4, 8), []);
  let left = 0;
  while (allowance.take()) left++;
  assert.equal(left, 7);
});

Deno.test("ExtraSockets that are closed while they are being opened stay closed", async () => {
  const holder = new Holder();
  const opening: PromiseWithResolvers<DatagramSocket>[] = [];
  const allowance = new SocketAllowance(4);
  const extra = new ExtraSockets(holder, () => {
    const next = Promise.withResolvers<DatagramSocket>();
    opening.push(next);
    return next.promise;
  }, allowance);
  const memory = new MemoryNetwork();
  const taking = extra.take(4, 3);
  opening[0]!.resolve(memory.bind("10.0.0.1", 1));
  while (opening.length < 2) await Promise.resolve();
  extra.closeAll();
  opening[1]!.resolve(memory.bind("10.0.0.1", 2));
  assert.deepEqual(await taking, []);
  assert.equal(opening.length, 2);
  for (const port of [1, 2]) memory.bind("10.0.0.1", port).close(); // both ports are free again
  assert.deepEqual(await extra.take(4, 1), []);
  let left = 0;
  while (allowance.take()) left++;
  assert.equal(left, 4);
});

Deno.test("ExtraSockets shares what was taken together, and closes it when nobody uses it", async () => {
  const holder = new Holder();
  const allowance = new SocketAllowance(10);
  const extra = new ExtraSockets(holder, network(), allowance);
  // Whoever comes while the first are being opened waits for them.
  const [first, second] = await Promise.all([extra.takeShared(4, 4), extra.takeShared(4, 6)]);
  assert.deepEqual(first, [2, 3, 4, 5]);
  assert.deepEqual(second, [2, 3, 4, 5, 6, 7]);
  assert.deepEqual(await extra.take(4, 1), [8], "of those nobody else gets any");
  assert.deepEqual(await extra.takeShared(6, 1), [9]);
  for (const index of second) extra.release(index);
  assert.deepEqual([...holder.sockets.keys()], [2, 3, 4, 5, 8, 9]);
  for (const index of first.slice(1)) extra.release(index);
  assert.deepEqual([...holder.sockets.keys()], [2, 8, 9]);
  // A session uses it: it stays, and is nobody else's.
  extra.keep(2);
  assert.deepEqual(await extra.takeShared(4, 1), [10]);
  extra.closeAll();
  assert.equal(holder.sockets.size, 0);
  assert.deepEqual(await extra.takeShared(4, 1), []);
  let left = 0;
  while (allowance.take()) left++;
  assert.equal(left, 10, "every one was given back, none twice");
});
