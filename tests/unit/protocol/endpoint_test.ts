// Goal: an endpoint gives every datagram to the session it belongs to, every session its turn, and
// tells every end once; what one peer does never touches another's session.
// Method: real endpoints at addresses; the test carries each datagram itself.
import assert from "node:assert/strict";
import { concatBytes } from "../../../lib/bytes/concat.ts";
import type { RandomSource } from "../../../lib/crypto/provider.ts";
import type { ChannelHandler } from "../../../lib/protocol/channel.ts";
import type { Connection } from "../../../lib/protocol/connection.ts";
import { Endpoint } from "../../../lib/protocol/endpoint.ts";
import { IDLE_TIMEOUT_MS, KEEPALIVE_MS } from "../../../lib/protocol/params.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { DatagramMachine } from "../../../lib/nat/datagram_machine.ts";
import type { Path } from "../../../lib/nat/path.ts";
import { type Instant, instant, NEVER } from "../../../lib/time.ts";
import { HandClient, newShare } from "../../support/code_holder.ts";
import { ack, ackNow, close, control, ping } from "../../support/frame_bytes.ts";
import { address, type HandHost, HandNetwork } from "../../support/hand_network.ts";

const SHARER = address(1);

class Sessions {
  readonly net = new HandNetwork();
  readonly share = newShare(this.net.random);
  readonly sharer: HandHost = this.net.host(SHARER);
  readonly clients: HandClient[] = [];

  /** A sharer with sessions to clients made by hand, at addresses 100, 101 and so on. */
  constructor(count: number) {
    this.sharer.endpoint.listen(this.share);
    for (let index = 0; index < count; index++) {
      const client = new HandClient(this.share.t, this.net.random);
      client.takeMessage2(this.sharer.take(client.message1(), address(100 + index))[0]!.bytes);
      this.sharer.take(client.message3(), address(100 + index));
      // What the connection sends by itself, and then the probes of the path, are acknowledged.
      this.sharer.take(client.packet([ack([[0, 0]])]), address(100 + index));
      this.sharer.take(client.packet([ack([[0, 7]])]), address(100 + index));
      this.clients.push(client);
    }
    assert.equal(this.sharer.endpoint.connectionCount, count);
  }

  /** The sharer's side of a session. */
  connection(index: number): Connection {
    return this.sharer.events.filter(({ type }) => type === "accepted")[index]!.connection;
  }

  get ends(): [index: number, code: string][] {
    return this.sharer.events.flatMap((event) => {
      if (event.type !== "closed") return [];
      const index = this.clients.findIndex((_, index) =>
        this.connection(index) === event.connection
      );
      return [[index, event.end.code]];
    });
  }
}

function listening(got: number[] = []): ChannelHandler {
  return {
    handleControl: (bytes) => void got.push(...bytes),
    handleBlock: () => -1,
    handleBlockReleased: () => {},
    handleWritable: () => {},
  };
}

Deno.test("Endpoint gives packets to the session whose id they carry, wherever they come from", () => {
  const sessions = new Sessions(3);
  const { sharer, clients } = sessions;
  const got: number[][] = [[], [], []];
  got.forEach((list, index) => sessions.connection(index).setHandler(listening(list)));
  clients.forEach((client, index) => {
    sharer.take(client.packet([control(0, new Uint8Array([index]))]), address(999));
  });
  assert.deepEqual(got, [[0], [1], [2]]);
});

Deno.test("Endpoint drops and counts packets under an id nobody has", () => {
  const { sharer, clients, net } = new Sessions(1);
  const packet = clients[0]!.packet([ackNow()]);
  packet[0]! ^= 1;
  assert.deepEqual(sharer.take(packet, address(100)), []);
  assert.equal(sharer.endpoint.droppedDatagrams, 1);
  const short = net.random.bytes(12);
  short.set(clients[0]!.sharerId);
  sharer.take(short, address(100));
  assert.equal(sharer.endpoint.droppedDatagrams, 2);
});

Deno.test("Endpoint ends only the session of who broke the rules", () => {
  const sessions = new Sessions(3);
  const { sharer, clients } = sessions;
  const got: number[] = [];
  sessions.connection(2).setHandler(listening(got));
  const answers = sharer.take(clients[1]!.packet([new Uint8Array([0x3f])]), address(101));
  assert.deepEqual(answers.map(({ to }) => to), new Array(3).fill(address(101)), "CLOSE");
  assert.deepEqual(sessions.ends, [[1, "protocol_violation"]]);
  sharer.take(clients[2]!.packet([control(0, new Uint8Array([7])), ackNow()]), address(102));
  assert.deepEqual(got, [7]);
  assert.equal(sessions.connection(0).closed, undefined);
  assert.equal(sessions.connection(2).closed, undefined);
});

Deno.test("Endpoint tells each end once and then forgets the session", () => {
  const sessions = new Sessions(4);
  const { sharer, clients, net } = sessions;
  sessions.connection(0).close(0, "enough");
  sharer.poll();
  sharer.take(clients[1]!.packet([close(5)]), address(101));
  sharer.take(clients[2]!.packet([]), address(102));
  for (let step = 0; step < 20; step++) {
    clients.slice(0, 3).forEach((client, index) =>
      sharer.take(client.packet([ping()]), address(100 + index))
    );
    net.nowMs += 100;
    sharer.tick();
  }
  assert.equal(sharer.endpoint.connectionCount, 1);
  net.run(IDLE_TIMEOUT_MS);
  assert.deepEqual(sessions.ends, [
    [0, "done"],
    [1, "refused"],
    [2, "protocol_violation"],
    [3, "path_lost"],
  ]);
  assert.equal(sharer.endpoint.connectionCount, 0);
  const dropped = sharer.endpoint.droppedDatagrams;
  sharer.take(clients[0]!.packet([ping()]), address(100));
  assert.equal(sharer.endpoint.droppedDatagrams, dropped + 1, "its id means nothing any more");
});

Deno.test("Endpoint lets its sessions send in turn", () => {
  const sessions = new Sessions(3);
  for (let index = 0; index < 3; index++) {
    sessions.connection(index).sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(9000) });
  }
  const turns = sessions.sharer.poll().map(({ to }) => to.host);
  assert.ok(turns.length >= 21);
  for (let index = 0; index + 3 <= 18; index += 3) {
    assert.equal(new Set(turns.slice(index, index + 3)).size, 3, `from ${index}`);
  }
});

Deno.test("Endpoint serves a session that has little beside one that has much", () => {
  const sessions = new Sessions(2);
  const { sharer } = sessions;
  sessions.connection(0).sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(1_000_000) });
  sessions.connection(1).sendControl(new Uint8Array([1]));
  const place = sharer.poll().findIndex(({ to }) => to.host === address(101).host);
  assert.ok(place === 0 || place === 1);
});

Deno.test("Endpoint adds to a train only what goes where the train goes", () => {
  const sessions = new Sessions(2);
  const { net, sharer: { endpoint } } = sessions;
  const out = new Uint8Array(2048);
  for (let index = 0; index < 2; index++) {
    sessions.connection(index).sendBlock({ request: 1, offset: 0, bytes: new Uint8Array(20_000) });
  }
  const length = endpoint.pollTransmit(net.now, out);
  const path = endpoint.transmitPath;
  for (let count = 0; count < 5; count++) {
    assert.equal(endpoint.extendTransmit(net.now, out, length), length);
    assert.equal(endpoint.transmitPath, path);
  }
  const machine = Object.assign(new Numbers(), { pollTransmit: () => length });
  machine.transmitPath = { socket: 0, remote: address(5) };
  endpoint.attach(machine);
  assert.equal(endpoint.pollTransmit(net.now, out), length);
  assert.equal(endpoint.transmitPath, machine.transmitPath);
  assert.equal(endpoint.extendTransmit(net.now, out, length), 0, "a machine's datagram is alone");
  endpoint.detach(machine);
  assert.equal(endpoint.pollTransmit(net.now, out), length);
  assert.notEqual(endpoint.transmitPath, path, "the other session's turn");
});

Deno.test("Endpoint splits packets that the kernel joined", () => {
  const sessions = new Sessions(1);
  const [client] = sessions.clients;
  const got: number[] = [];
  sessions.connection(0).setHandler(listening(got));
  const train = (count: number) =>
    concatBytes(...Array.from(
      { length: count },
      (_, index) => client!.packet([control(got.length + index, new Uint8Array([index]))], 1200),
    ));
  sessions.sharer.take(train(2), address(100));
  assert.deepEqual(got, [0, 1]);
  sessions.sharer.take(
    concatBytes(train(50), client!.packet([control(52, new Uint8Array([9]))])),
    address(100),
  );
  assert.equal(got.length, 53);
  assert.equal(sessions.sharer.endpoint.droppedDatagrams, 0);
});

Deno.test("Endpoint takes what it can of joined packets with a damaged one among them", () => {
  const sessions = new Sessions(1);
  const [client] = sessions.clients;
  const packets = Array.from({ length: 4 }, () => client!.packet([ping()], 1200));
  const before = sessions.connection(0).statistics.receivedPackets;
  packets[1]![600]! ^= 1; // the header is still right: only this one is lost
  sessions.sharer.take(concatBytes(...packets), address(100));
  assert.equal(sessions.connection(0).statistics.receivedPackets, before + 3);
  const cut = concatBytes(...Array.from({ length: 3 }, () => client!.packet([ping()], 1200)));
  sessions.sharer.take(cut.subarray(0, 3000), address(100));
  assert.equal(sessions.connection(0).statistics.receivedPackets, before + 5);
  assert.equal(sessions.sharer.endpoint.droppedDatagrams, 1);
});

Deno.test("Endpoint splits small packets that the kernel joined", () => {
  const sessions = new Sessions(1);
  const [client] = sessions.clients;
  const got: number[] = [];
  sessions.connection(0).setHandler(listening(got));
  const packets = [0, 1, 2].map((index) =>
    client!.packet([control(index, new Uint8Array([index]))])
  );
  const piece = concatBytes(...packets);
  assert.ok(piece.length < 200);
  sessions.sharer.take(piece, address(100));
  assert.deepEqual(got, [0, 1, 2]);
  assert.equal(sessions.sharer.endpoint.droppedDatagrams, 0);
});

Deno.test("Endpoint takes handshake datagrams and packets of one address that the kernel joined", () => {
  const { net, share, sharer } = new Sessions(0);
  const [first, second] = [0, 1].map(() => new HandClient(share.t, net.random));
  const answers = sharer.take(concatBytes(first!.message1(), second!.message1()), address(100));
  assert.equal(answers.length, 2);
  first!.takeMessage2(answers[0]!.bytes);
  second!.takeMessage2(answers[1]!.bytes);
  const thirds = [first!.message3(), second!.message3()] as const;
  const got: number[] = [];
  const take = sharer.endpoint.handleDatagram.bind(sharer.endpoint);
  const early = concatBytes(
    second!.packet([control(0, new Uint8Array([7]))], 1200),
    second!.packet([control(1, new Uint8Array([8]))]),
  );
  take(net.now, early, 0, address(100));
  const packets = [0, 1].map((at) => first!.packet([control(at, new Uint8Array([at]))], 1200));
  take(net.now, concatBytes(thirds[0], ...packets, thirds[1]), 0, address(100));
  sharer.poll();
  const accepted = sharer.events.filter(({ type }) => type === "accepted");
  assert.equal(accepted.length, 2);
  for (const { connection } of accepted) connection.setHandler(listening(got));
  assert.deepEqual(got, [0, 1, 7, 8]);
  assert.equal(sharer.endpoint.droppedDatagrams, 0);
});

/** A machine that takes datagrams of 20 bytes of one kind, each with its length. */
class Numbers implements DatagramMachine {
  readonly got: number[] = [];
  transmitPath!: Path;

  handleDatagram(_now: Instant, datagram: Uint8Array): boolean {
    if (this.peekLength(datagram) !== datagram.length) return false;
    this.got.push(datagram[1]!);
    return true;
  }

  peekLength(piece: Uint8Array): number {
    return piece[0] === 0xaa ? 20 : 0;
  }

  handleTimeout(): void {}

  pollTimeout(): Instant {
    return NEVER;
  }

  pollTransmit(): number {
    return 0;
  }
}

Deno.test("Endpoint hands joined datagrams to the machines that know their lengths", () => {
  const { sharer, clients } = new Sessions(1);
  const machine = new Numbers();
  sharer.endpoint.attach(machine);
  const number = (value: number) =>
    Uint8Array.from({ length: 20 }, (_, at) => at === 0 ? 0xaa : value);
  sharer.take(concatBytes(number(1), number(2)), address(5));
  sharer.take(concatBytes(number(3), number(4), number(5).subarray(1)), address(5));
  assert.deepEqual(machine.got, [1, 2, 3, 4]);
  assert.equal(sharer.endpoint.droppedDatagrams, 1);
  sharer.take(concatBytes(clients[0]!.packet([ping()]), number(6)), address(100));
  assert.deepEqual(machine.got, [1, 2, 3, 4, 6]);
});

Deno.test("[DMX-2] what is behind a datagram that is nobody's is dropped with it", () => {
  const { net, sharer, clients } = new Sessions(1);
  const machine = new Numbers();
  sharer.endpoint.attach(machine);
  const before = clients[0]!;
  const stranger = net.random.bytes(1200);
  const answers = sharer.take(concatBytes(stranger, before.packet([ackNow()])), address(5));
  assert.deepEqual(answers, []);
  assert.equal(sharer.endpoint.droppedDatagrams, 1);
  const piece = new Uint8Array(65_500);
  piece[0] = 0xab;
  let looks = 0;
  machine.peekLength = () => {
    looks++;
    return 0;
  };
  sharer.take(piece, address(5));
  assert.ok(looks <= 2, `${looks} looks at a stranger's piece`);
  assert.equal(sharer.endpoint.droppedDatagrams, 2);
});

Deno.test("Endpoint bears joined datagrams of garbage behind a real id", () => {
  const sessions = new Sessions(1);
  const { net, sharer, clients } = sessions;
  for (const length of [40, 200, 1472, 1473, 2000, 9000, 65_507]) {
    for (let count = 0; count < 20; count++) {
      const garbage = net.random.bytes(length);
      for (let at = 0; at + 6 <= length; at += 29) garbage.set(clients[0]!.sharerId, at);
      assert.deepEqual(sharer.take(garbage, address(100)), []);
    }
  }
  assert.equal(sessions.connection(0).closed, undefined);
});

Deno.test("Endpoint waits for the earliest deadline of all sessions", () => {
  const { net, share, sharer } = new Sessions(0);
  net.nowMs = 1000;
  const clients = [0, 1].map((index) => net.host(address(100 + index)));
  for (const client of clients) {
    net.connect(client, share, [SHARER]);
    net.run(500);
  }
  const [first, second] = sharer.events.filter(({ type }) => type === "accepted")
    .map(({ connection }) => connection.pollTimeout());
  assert.ok(first! < second! && second! < net.nowMs + KEEPALIVE_MS);
  // An unfinished handshake is remembered for 10 s from its beginning: as long as a keepalive.
  assert.ok(sharer.endpoint.pollTimeout() <= first!);
});

Deno.test("Endpoint wakes its owner when a transfer has something to send", () => {
  const sessions = new Sessions(1);
  const before = sessions.sharer.wakeCount;
  sessions.connection(0).sendControl(new Uint8Array([1]));
  assert.equal(sessions.sharer.wakeCount, before + 1);
});

Deno.test("Endpoint never gives two sessions one connection id", () => {
  // A generator that, once asked to, draws the same six bytes for every id until they run out.
  const net = new HandNetwork();
  const share = newShare(net.random);
  const id = new Uint8Array([1, 2, 3, 4, 5, 6]);
  let sameIds = 3;
  const random: RandomSource = {
    fill(out) {
      net.random.fill(out);
      if (out.length === 6 && sameIds > 0) {
        sameIds--;
        out.set(id);
      }
    },
  };
  const endpoint = new Endpoint({ provider: nodeProvider, random, wake: () => {} });
  endpoint.listen(share);
  const out = new Uint8Array(2048);
  const enter = (): HandClient => {
    const client = new HandClient(share.t, net.random);
    endpoint.handleDatagram(net.now, client.message1(), 0, address(100));
    client.takeMessage2(out.subarray(0, endpoint.pollTransmit(net.now, out)));
    return client;
  };
  const [first, second] = [enter(), enter()];
  assert.deepEqual(first.sharerId, id);
  assert.notDeepEqual(second.sharerId, id, "the id of an unfinished handshake");
  endpoint.handleDatagram(net.now, first.message3(), 0, address(100));
  endpoint.handleTimeout(instant(10_000));
  sameIds = 2;
  assert.notDeepEqual(enter().sharerId, id, "the id of a session");
  assert.equal(endpoint.connectionCount, 1);
  sameIds = 2;
  endpoint.connect(net.now, {
    t: share.t,
    staticKeys: share.staticKeys,
    paths: [{ socket: 0, remote: SHARER }],
    request: new Uint8Array(0),
  });
  assert.equal(sameIds, 0, "an id for its own handshake was drawn twice");
});

Deno.test("Endpoint may share and connect at the same time", () => {
  const net = new HandNetwork();
  const [one, two] = [net.host(address(1)), net.host(address(2))];
  const shares = [newShare(net.random), newShare(net.random)] as const;
  one.endpoint.listen(shares[0]);
  two.endpoint.listen(shares[1]);
  net.connect(one, shares[1], [two.address]);
  net.connect(two, shares[0], [one.address]);
  net.run(1000);
  for (const host of [one, two]) {
    assert.deepEqual(host.events.map(({ type }) => type).sort(), [
      "accepted",
      "connected",
      "observed",
      "observed",
    ]);
    assert.equal(host.endpoint.connectionCount, 2);
  }
});
