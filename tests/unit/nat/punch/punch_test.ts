import assert from "node:assert/strict";
import fc from "fast-check";
import type { ProbeType } from "../../../../lib/crypto/probe.ts";
import type { SocketAddress } from "../../../../lib/nat/address.ts";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import type { Path } from "../../../../lib/nat/path.ts";
import { instant } from "../../../../lib/time.ts";
import {
  candidate,
  CLIENT_HOST,
  DrivenMachine,
  ipv4,
  pairCodec,
  punchOptions,
  SHARER_HOST,
} from "./_punch.ts";

const FIXED: MappingClass = "endpoint_independent";
const RANDOM: MappingClass = "port_dependent_random";

const codec = pairCodec(99);
let nextId = 0;

function transactionId(): Uint8Array {
  const id = new Uint8Array(8).fill(0xee);
  new DataView(id.buffer).setUint32(0, nextId++);
  return id;
}

function question(id = transactionId()): Uint8Array {
  return codec.seal({ type: 1, transactionId: id });
}

function pathTo(host: string, port: number, socket = 0): Path {
  return { socket, remote: ipv4(host, port) };
}

/** What the probes that were sent say, and to whom. */
function said(machine: DrivenMachine): [ProbeType, string, SocketAddress][] {
  return machine.takeSent().map(({ datagram, path }) => {
    const probe = codec.open(datagram)!;
    return [probe.type, probe.transactionId.join(), path.remote];
  });
}

function quietClient(more: Parameters<typeof punchOptions>[3] = {}): DrivenMachine {
  const client = new DrivenMachine(punchOptions("client", FIXED, FIXED, more));
  client.takeSent();
  return client;
}

Deno.test("Punch answers a question at once to where it came from, asks back, and says whom it heard", () => {
  const client = quietClient();
  client.run(3000);
  client.takeSent();
  const id = transactionId();
  const path = pathTo(SHARER_HOST, 41_000, 5);
  assert.ok(client.receive(question(id), path));
  const sent = client.takeSent();
  assert.deepEqual(sent.map((probe) => probe.path), [path, path]);
  assert.deepEqual(sent.map(({ hops }) => hops), [undefined, undefined]);
  assert.deepEqual(codec.open(sent[0]!.datagram), { type: 2, transactionId: id });
  assert.equal(codec.open(sent[1]!.datagram)!.type, 1);
  assert.deepEqual(client.events, [{ type: "heard", path, isAnswer: false }]);
  assert.equal(client.machine.answeredProbes, 1);
});

Deno.test("Punch answers a replayed question with silence, also to another address", () => {
  const client = quietClient();
  const datagram = question();
  client.receive(datagram, pathTo(SHARER_HOST, 41_000));
  client.takeSent();
  for (let port = 1; port <= 100; port++) {
    assert.ok(client.receive(datagram, pathTo("192.0.2.66", port)));
  }
  assert.deepEqual(client.takeSent(), []);
  assert.equal(client.events.length, 1);
  assert.equal(client.machine.droppedProbes, 100);
});

Deno.test("Punch answers no more than 32 questions a second, and hears the others", () => {
  const client = quietClient();
  for (let count = 0; count < 100; count++) {
    client.receive(question(), pathTo(SHARER_HOST, 41_000));
    client.nowMs += 9;
  }
  assert.equal(client.machine.answeredProbes, 32);
  client.nowMs = 1000;
  client.receive(question(), pathTo(SHARER_HOST, 41_000));
  assert.equal(client.machine.answeredProbes, 33);
});

Deno.test("Punch reports an answer with its round trip, once, and takes none that was not asked for", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", FIXED, FIXED));
  const asked = codec.open(sharer.takeSent()[0]!.datagram)!;
  sharer.nowMs = 30;
  const path = pathTo(CLIENT_HOST, 40_000);
  const answer = codec.seal({ type: 2, transactionId: asked.transactionId });
  assert.ok(sharer.receive(answer, path));
  assert.deepEqual(sharer.events, [{ type: "heard", path, isAnswer: true, rttMs: 30 }]);
  assert.ok(sharer.receive(answer, pathTo("192.0.2.66", 1)));
  assert.ok(
    sharer.receive(
      codec.seal({ type: 2, transactionId: transactionId() }),
      pathTo("192.0.2.66", 1),
    ),
  );
  assert.equal(sharer.events.length, 1);
  assert.equal(sharer.machine.droppedProbes, 2);
});

Deno.test("Punch is not taken in by its own questions when they are sent back", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", FIXED, FIXED));
  for (const { datagram } of sharer.takeSent()) {
    assert.ok(sharer.receive(datagram, pathTo(CLIENT_HOST, 40_000)));
  }
  assert.deepEqual(sharer.events, []);
  assert.deepEqual(sharer.takeSent(), []);
  // The plain question, and that to the guard socket.
  assert.equal(sharer.machine.droppedProbes, 2);
});

Deno.test("Punch leaves forged probes, those of other codes and anything else to others", () => {
  const client = quietClient();
  const path = pathTo(SHARER_HOST, 41_000);
  const forged = question();
  forged[forged.length - 1]! ^= 1;
  assert.ok(!client.receive(forged, path));
  const foreign = pairCodec(5, 2).seal({ type: 1, transactionId: transactionId() });
  assert.ok(!client.receive(foreign, path));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 140 }), (bytes) => {
    assert.ok(!client.receive(bytes, path));
  }));
  assert.deepEqual(client.events, []);
  assert.deepEqual(client.takeSent(), []);
  assert.equal(client.machine.droppedProbes, 0);
});

Deno.test("Punch sends nothing to addresses that belong to nobody", () => {
  const client = quietClient();
  for (const host of ["224.0.0.1", "255.255.255.255", "0.0.0.0", "127.0.0.1"]) {
    assert.ok(client.receive(question(), pathTo(host, 41_000)));
  }
  assert.deepEqual(client.takeSent(), []);
  assert.deepEqual(client.events, []);
  assert.equal(client.machine.droppedProbes, 4);
});

Deno.test("Punch stops trying ports once it heard, and other candidates a second later", () => {
  const sharer = new DrivenMachine(
    punchOptions("sharer", FIXED, RANDOM, {
      candidates: [
        candidate("reflexive", CLIENT_HOST, 40_000),
        candidate("host", "192.168.1.2", 5),
      ],
    }),
  );
  sharer.run(700);
  const sprayed = sharer.machine.sprayedProbes;
  assert.ok(sprayed >= 100);
  const heard = pathTo(CLIENT_HOST, 50_000);
  sharer.receive(question(), heard);
  sharer.takeSent();
  sharer.run(1699);
  const inGrace = said(sharer).map(([, , { port }]) => port);
  assert.ok(inGrace.includes(5) && inGrace.includes(50_000));
  sharer.run(9000);
  const later = said(sharer);
  assert.ok(later.length >= 5);
  assert.ok(later.every(([type, , { port }]) => type === 1 && port === 50_000));
  assert.equal(sharer.machine.sprayedProbes, sprayed);
});

Deno.test("Punch goes on searching after ten seconds without a word", () => {
  const client = quietClient();
  client.run(1000);
  client.receive(question(), pathTo(SHARER_HOST, 41_000));
  client.run(2000);
  client.takeSent();
  client.run(10_999);
  assert.ok(client.takeSent().every(({ path }) => path.remote.port === 41_000));
  client.run(20_000);
  const ports = client.takeSent().map(({ path }) => path.remote.port);
  assert.ok(ports.includes(40_000));
});

Deno.test("Punch does not ask for sockets while the other side is heard", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", RANDOM, FIXED));
  sharer.run(400);
  sharer.receive(question(), pathTo(CLIENT_HOST, 40_000));
  sharer.run(10_399);
  assert.deepEqual(sharer.events.map(({ type }) => type), ["heard"]);
  sharer.run(10_500);
  assert.deepEqual(sharer.events.map(({ type }) => type), ["heard", "sockets-wanted"]);
});

Deno.test("Punch is exhausted 30 s after the paste, and then still answers", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", FIXED, FIXED));
  sharer.run(29_999);
  assert.deepEqual(sharer.events, []);
  sharer.run(30_000);
  assert.deepEqual(sharer.events, [{ type: "exhausted" }]);
  assert.equal(sharer.machine.pollTimeout(), Infinity);
  sharer.takeSent();
  sharer.receive(question(), pathTo(CLIENT_HOST, 40_000));
  sharer.run(60_000);
  assert.deepEqual(said(sharer).map(([type]) => type), [2]);
});

Deno.test("Punch gives a peer that was heard at last ten seconds more, and no longer", () => {
  for (
    const [heardAtMs, endMs] of [[25_000, 35_000], [29_999, 39_999], [19_000, 30_000]] as const
  ) {
    const sharer: DrivenMachine = new DrivenMachine(punchOptions("sharer", FIXED, RANDOM));
    sharer.run(heardAtMs);
    sharer.receive(question(), pathTo(CLIENT_HOST, 40_000));
    sharer.run(endMs - 1);
    assert.deepEqual(sharer.events.map(({ type }) => type), ["heard"]);
    sharer.run(endMs);
    assert.deepEqual(sharer.events.map(({ type }) => type), ["heard", "exhausted"]);
  }
  const sharer: DrivenMachine = new DrivenMachine(punchOptions("sharer", FIXED, FIXED));
  for (let atMs = 1000; atMs < 60_000; atMs += 1000) {
    sharer.run(atMs);
    sharer.receive(question(), pathTo(CLIENT_HOST, 40_000));
    assert.equal(sharer.events.at(-1)!.type, atMs < 40_000 ? "heard" : "exhausted");
  }
  assert.equal(sharer.events.length, 2);
});

Deno.test("Punch does nothing after stop", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", FIXED, RANDOM));
  sharer.run(600);
  sharer.machine.stop();
  const sent = sharer.machine.sentProbes;
  assert.equal(sharer.machine.pollTimeout(), Infinity);
  assert.ok(!sharer.receive(question(), pathTo(CLIENT_HOST, 40_000)));
  sharer.machine.handleTimeout(instant(40_000));
  assert.equal(sharer.machine.pollTransmit(instant(40_000), new Uint8Array(1472)), 0);
  assert.equal(sharer.machine.sentProbes, sent);
  assert.deepEqual(sharer.events, []);
});

Deno.test("Punch takes up to 256 extra sockets of the right family, each once", () => {
  const sharer = new DrivenMachine(punchOptions("sharer", RANDOM, FIXED), false);
  sharer.run(600);
  const add = (index: number, family: 4 | 6): void =>
    sharer.machine.addSockets(instant(sharer.nowMs), [{ index, family }]);
  add(50, 6);
  for (let count = 0; count < 300; count++) add(1000 + count - count % 2, 4);
  for (let count = 0; count < 300; count++) add(2000 + count, 4);
  sharer.run(1590);
  const used = new Set(sharer.sent.map(({ path }) => path.socket));
  used.delete(0);
  assert.equal(used.size, 256);
  assert.ok(!used.has(50));
  assert.equal(sharer.machine.methodOf(pathTo(CLIENT_HOST, 40_000, 1000)), "birthday");
  assert.equal(sharer.machine.methodOf(pathTo(CLIENT_HOST, 40_000, 50)), "punched");
});
