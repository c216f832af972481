// Goal: however many hold the code and come at once, a share's memory and answers stay within their
// bounds, and an honest client still gets in.
// Method: clients made by hand, in crowds, against a real endpoint in virtual time.
import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import {
  COOKIE_CLIENTS_PER_SECOND,
  COOKIE_HALF_OPEN,
  COOKIE_HALF_OPEN_PER_HOST,
  HALF_OPEN_MS,
  MAX_HALF_OPEN,
  MAX_REMEMBERED_NONCES,
  MAX_SESSIONS,
} from "../../../lib/protocol/params.ts";
import { HandClient, newShare, type Share } from "../../support/code_holder.ts";
import { ping } from "../../support/frame_bytes.ts";
import { address, type HandHost, HandNetwork } from "../../support/hand_network.ts";

const SHARER = address(1);
const MINUTE_MS = 60_000;

class Crowd {
  readonly net = new HandNetwork();
  readonly share: Share = newShare(this.net.random);
  readonly sharer: HandHost = this.net.host(SHARER);

  constructor() {
    this.sharer.endpoint.listen(this.share);
  }

  newClient(): HandClient {
    return new HandClient(this.share.t, this.net.random);
  }

  /** What the sharer answers to a message 1: 2, 4, or 0 for silence. */
  ask(client: HandClient, at: SocketAddress, cookie?: Uint8Array): Answer {
    const answers = this.sharer.take(client.message1(cookie), at);
    assert.ok(answers.length <= 1);
    const datagram = answers[0]?.bytes ?? new Uint8Array(0);
    assert.ok(datagram.length === 0 || datagram.length === 1200);
    return { type: client.codec.classify(datagram), datagram };
  }

  /** Lets a client in as far as message 2, with a cookie where one is asked for. */
  begin(client: HandClient, at: SocketAddress): boolean {
    let answer = this.ask(client, at);
    if (answer.type === 4) {
      answer = this.ask(client, at, client.codec.openCookie(answer.datagram));
    }
    return answer.type === 2 && client.takeMessage2(answer.datagram);
  }

  /** Fills the share with unfinished handshakes from addresses of their own, slowly. */
  fill(count: number): void {
    for (let index = 0; index < count; index++) {
      assert.equal(this.begin(this.newClient(), address(1000 + index)), true, `number ${index}`);
      this.advance(20);
    }
  }

  advance(durationMs: number): void {
    this.net.nowMs += durationMs;
    this.sharer.tick();
  }
}

interface Answer {
  readonly type: number;
  readonly datagram: Uint8Array;
}

Deno.test("HandshakeSharer asks one host for a cookie from its ninth unfinished handshake on [HS-4]", () => {
  const crowd = new Crowd();
  for (let port = 1; port <= COOKIE_HALF_OPEN_PER_HOST; port++) {
    assert.equal(crowd.ask(crowd.newClient(), address(5, port)).type, 2);
  }
  const client = crowd.newClient();
  assert.equal(crowd.ask(client, address(5, 100)).type, 4);
  assert.equal(crowd.ask(crowd.newClient(), address(6)).type, 2, "another host is not asked");
});

Deno.test("HandshakeSharer keeps no state for a client it asked for a cookie", () => {
  const crowd = new Crowd();
  crowd.fill(COOKIE_HALF_OPEN);
  const deadline = crowd.sharer.endpoint.pollTimeout();
  for (let index = 0; index < 300; index++) {
    assert.equal(crowd.ask(crowd.newClient(), address(9000 + index)).type, 4);
  }
  assert.equal(crowd.sharer.endpoint.pollTimeout(), deadline);
  crowd.fill(MAX_HALF_OPEN - COOKIE_HALF_OPEN);
});

Deno.test("HandshakeSharer lets a real client with a cookie through", () => {
  const crowd = new Crowd();
  crowd.fill(COOKIE_HALF_OPEN);
  const client = crowd.net.host(address(50));
  crowd.net.connect(client, crowd.share, [SHARER]);
  crowd.net.run(0);
  assert.equal(client.events[0]?.type, "connected");
  assert.equal(crowd.sharer.events[0]?.type, "accepted");
  assert.equal(crowd.net.log.filter(({ to }) => to === SHARER)[0]!.atMs, crowd.net.nowMs);
});

Deno.test("HandshakeSharer takes a cookie only from its address and port", () => {
  const crowd = new Crowd();
  crowd.fill(COOKIE_HALF_OPEN);
  const client = crowd.newClient();
  const cookie = client.codec.openCookie(crowd.ask(client, address(50, 1)).datagram)!;
  assert.equal(crowd.ask(client, address(50, 2), cookie).type, 4);
  assert.equal(crowd.ask(client, address(51, 1), cookie).type, 4);
  assert.equal(crowd.ask(client, address(50, 1), new Uint8Array(16)).type, 4);
  const forged = cookie.slice();
  forged[15]! ^= 1;
  assert.equal(crowd.ask(client, address(50, 1), forged).type, 4);
  assert.equal(crowd.ask(client, address(50, 1), cookie).type, 2);
});

for (const [ageMs, type] of [[MINUTE_MS, 2], [2 * MINUTE_MS, 4]] as const) {
  Deno.test(`HandshakeSharer answers a cookie of ${ageMs / MINUTE_MS} min with type ${type}`, () => {
    const crowd = new Crowd();
    crowd.net.nowMs = 20 * MINUTE_MS + 30_000;
    crowd.fill(COOKIE_HALF_OPEN);
    const client = crowd.newClient();
    const cookie = client.codec.openCookie(crowd.ask(client, address(50)).datagram)!;
    crowd.advance(ageMs);
    crowd.fill(COOKIE_HALF_OPEN);
    assert.equal(crowd.ask(client, address(50), cookie).type, type);
  });
}

Deno.test("HandshakeSharer takes no cookie of another share", () => {
  const [crowd, other] = [new Crowd(), new Crowd()];
  for (const one of [crowd, other]) one.fill(COOKIE_HALF_OPEN);
  const stranger = other.newClient();
  const cookie = stranger.codec.openCookie(other.ask(stranger, address(50)).datagram)!;
  // Both shares have drawn the same secret if their generators are equal; so draw once more.
  crowd.sharer.endpoint.listen(crowd.share);
  crowd.fill(COOKIE_HALF_OPEN);
  assert.equal(crowd.ask(crowd.newClient(), address(50), cookie).type, 4);
});

Deno.test("HandshakeSharer asks for cookies above 100 new clients a second, and only then", () => {
  const crowd = new Crowd();
  for (let index = 0; index < COOKIE_CLIENTS_PER_SECOND; index++) {
    assert.equal(crowd.ask(crowd.newClient(), address(100 + index)).type, 2);
    crowd.advance(5);
  }
  const late = crowd.newClient();
  assert.equal(crowd.ask(late, address(50)).type, 4);
  crowd.advance(1000);
  assert.equal(crowd.ask(late, address(50)).type, 2);
});

Deno.test("HandshakeSharer asks everyone for a cookie once its memory of nonces is full [HS-2]", () => {
  const crowd = new Crowd();
  const one = crowd.newClient();
  for (let count = 0; count < MAX_REMEMBERED_NONCES; count++) {
    if (count % 5000 === 0) assert.equal(crowd.ask(one, address(5)).type, 2);
    else crowd.sharer.take(one.message1(), address(5));
  }
  crowd.advance(2 * HALF_OPEN_MS);
  const client = crowd.newClient();
  assert.equal(crowd.ask(client, address(50)).type, 4);
  assert.equal(crowd.begin(client, address(50)), true);
  crowd.sharer.take(client.message3(), address(50));
  assert.equal(crowd.sharer.events[0]?.type, "accepted");
});

Deno.test("HandshakeSharer has at most 256 unfinished handshakes, then room again after 10 s [HS-11]", () => {
  const crowd = new Crowd();
  crowd.fill(MAX_HALF_OPEN);
  const client = crowd.newClient();
  assert.equal(crowd.begin(client, address(50)), false);
  assert.equal(crowd.ask(client, address(50)).type, 0, "silence, not even a cookie");
  crowd.advance(HALF_OPEN_MS);
  assert.equal(crowd.begin(client, address(50)), true);
});

Deno.test("HandshakeSharer holds at most 256 answers that the network does not take", () => {
  const crowd = new Crowd();
  const client = crowd.newClient();
  const { endpoint } = crowd.sharer;
  for (let count = 0; count < 2 * MAX_HALF_OPEN; count++) {
    endpoint.handleDatagram(crowd.net.now, client.message1(), 0, address(5));
  }
  assert.equal(crowd.sharer.poll().length, MAX_HALF_OPEN);
});

Deno.test("Endpoint has at most 512 sessions, however their handshakes overlap", () => {
  const crowd = new Crowd();
  const { net, sharer } = crowd;
  const sessions: { client: HandClient; at: SocketAddress }[] = [];
  const keepAlive = () => {
    for (const { client, at } of sessions) sharer.take(client.packet([ping()]), at);
  };
  const enter = (count: number) => {
    const waiting = Array.from({ length: count }, (_, index) => {
      const client = crowd.newClient();
      const at = address(100 + sessions.length + index);
      assert.equal(crowd.begin(client, at), true);
      net.nowMs += 15;
      return { client, at };
    });
    for (const one of waiting) sharer.take(one.client.message3(), one.at);
    sessions.push(...waiting);
  };
  for (const count of [100, 100, 100, 100, 100]) {
    enter(count);
    crowd.advance(HALF_OPEN_MS);
    keepAlive();
  }
  enter(50);
  assert.equal(sharer.endpoint.connectionCount, MAX_SESSIONS);
  assert.equal(sharer.events.filter(({ type }) => type === "accepted").length, MAX_SESSIONS);
  crowd.advance(HALF_OPEN_MS);
  keepAlive();
  const client = crowd.newClient();
  assert.equal(crowd.ask(client, address(50)).type, 0, "silence while it is full");
  sharer.connection!.close(0, "one leaves");
  for (let step = 0; step < 15; step++) crowd.advance(1000);
  assert.equal(crowd.begin(client, address(50)), true);
});
