/**
 * Goal: the in-memory network passes for a real one, and what its carrier decides is what happens.
 * Method: the contract suite, then carriers that lose, double, delay and damage.
 */
import assert from "node:assert/strict";
import { MemoryNetwork } from "../../../lib/transport/memory_network.ts";
import { datagramSocketContract } from "../../support/datagram_socket_contract.ts";

const contractNetwork = new MemoryNetwork();
datagramSocketContract("MemoryNetwork socket", {
  open: (port) => Promise.resolve(contractNetwork.bind("10.0.0.1", port)),
  closedPort: { family: 4, host: "10.0.0.9", port: 9 },
  otherFamily: { family: 6, host: "fd00::9", port: 9 },
  limitsHops: true,
});

const contractNetwork6 = new MemoryNetwork();
datagramSocketContract("MemoryNetwork IPv6 socket", {
  open: (port) => Promise.resolve(contractNetwork6.bind("fd00::1", port)),
  closedPort: { family: 6, host: "fd00::9", port: 9 },
  otherFamily: { family: 4, host: "10.0.0.9", port: 9 },
  limitsHops: true,
});

Deno.test("MemoryNetwork refuses a taken address and gives a freed one again", () => {
  const network = new MemoryNetwork();
  const first = network.bind("10.0.0.1", 4000);
  assert.throws(() => network.bind("10.0.0.1", 4000), RangeError);
  network.bind("10.0.0.2", 4000);
  first.close();
  assert.equal(network.bind("10.0.0.1", 4000).localAddress.port, 4000);
});

Deno.test("MemoryNetwork does to a datagram what the carrier decides", async () => {
  const held: (() => void)[] = [];
  const network = new MemoryNetwork((datagram, from, to, arrive) => {
    assert.equal(from.host, "10.0.0.1");
    assert.equal(to.host, "10.0.0.2");
    if (datagram[0] === 1) return;
    if (datagram[0] === 2) {
      arrive(datagram);
      arrive(datagram);
    }
    if (datagram[0] === 3) held.push(() => arrive(datagram));
    if (datagram[0] === 4) arrive(Uint8Array.of(5));
  });
  const a = network.bind("10.0.0.1");
  const b = network.bind("10.0.0.2");
  const received: number[] = [];
  const closed = b.receive((datagram) => received.push(datagram[0]!));
  await Promise.resolve();
  for (const value of [1, 2, 3, 4]) await a.send(Uint8Array.of(value), b.localAddress);
  assert.deepEqual(received, [2, 2, 5]);
  held[0]!();
  assert.deepEqual(received, [2, 2, 5, 3]);
  b.close();
  held[0]!();
  await closed;
  assert.deepEqual(received, [2, 2, 5, 3]);
});

Deno.test("MemoryNetwork tells the carrier how many routers a datagram may pass", async () => {
  const limits: (number | undefined)[] = [];
  const network = new MemoryNetwork((_datagram, _from, _to, _arrive, hops) => limits.push(hops));
  const a = network.bind("10.0.0.1");
  const b = network.bind("10.0.0.2");
  await a.send(Uint8Array.of(1), b.localAddress);
  a.limitHops!(2);
  await a.send(Uint8Array.of(2), b.localAddress);
  await b.send(Uint8Array.of(3), a.localAddress);
  a.limitHops!(undefined);
  await a.send(Uint8Array.of(4), b.localAddress);
  assert.deepEqual(limits, [undefined, 2, undefined, undefined]);
});

Deno.test("MemoryNetwork socket keeps what came before receive, in order and within a bound", async () => {
  const network = new MemoryNetwork((datagram, _from, _to, arrive) => arrive(datagram));
  const a = network.bind("10.0.0.1");
  const b = network.bind("10.0.0.2");
  for (let i = 0; i < 1000; i++) {
    await a.send(new Uint8Array(1000).fill(i), b.localAddress);
  }
  const received: number[] = [];
  void b.receive((datagram) => received.push(datagram[0]!));
  await a.send(Uint8Array.of(99), b.localAddress);
  await Promise.resolve();
  // 212,992 bytes hold 169 datagrams of 1000 bytes and their bookkeeping of 256.
  assert.equal(received.length, 170);
  assert.deepEqual(received.slice(0, 3), [0, 1, 2]);
  assert.equal(received[169], 99);
});

Deno.test("MemoryNetwork socket spoils a view once its call is over", async () => {
  const network = new MemoryNetwork((datagram, _from, _to, arrive) => arrive(datagram));
  const a = network.bind("10.0.0.1");
  const b = network.bind("10.0.0.2");
  let kept: Uint8Array | undefined;
  void b.receive((datagram) => {
    assert.deepEqual(datagram.slice(), Uint8Array.of(1, 2, 3));
    kept = datagram;
  });
  await Promise.resolve();
  await a.send(Uint8Array.of(1, 2, 3), b.localAddress);
  assert.notDeepEqual(kept, Uint8Array.of(1, 2, 3));
});
