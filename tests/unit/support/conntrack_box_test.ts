import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import { ConntrackBox, type ConntrackBoxOptions } from "../../support/conntrack_box.ts";
import { Prng } from "../../support/prng.ts";

const PUBLIC = "203.0.113.1";
const INSIDE = at("192.168.1.2", 4000);
const PEER = at("198.51.100.1", 100);
const OTHER = at("198.51.100.2", 100);

function at(host: string, port: number): SocketAddress {
  return { family: 4, host, port };
}

function box(options: Partial<ConntrackBoxOptions> = {}): ConntrackBox {
  return new ConntrackBox({ externalHost: PUBLIC, ...options }, new Prng(1));
}

Deno.test("ConntrackBox keeps the inside port towards everybody and lets in who was sent to", () => {
  const router = box();
  assert.deepEqual(router.outbound(0, INSIDE, PEER), at(PUBLIC, 4000));
  assert.deepEqual(router.outbound(0, INSIDE, OTHER), at(PUBLIC, 4000));
  assert.deepEqual(router.inbound(1, PEER, at(PUBLIC, 4000)), INSIDE);
  assert.equal(router.inbound(1, at(PEER.host, 101), at(PUBLIC, 4000)), undefined);
});

Deno.test("ConntrackBox shares one port between hosts that talk to different remotes", () => {
  const router = box();
  const second = at("192.168.1.3", 4000);
  assert.equal(router.outbound(0, INSIDE, PEER)!.port, 4000);
  assert.equal(router.outbound(0, second, OTHER)!.port, 4000);
  assert.notEqual(router.outbound(0, second, PEER)!.port, 4000);
});

Deno.test("ConntrackBox that accepts input gives another port after an early datagram", () => {
  for (const input of ["accept", "drop"] as const) {
    const router = box({ input });
    assert.equal(router.inbound(0, PEER, at(PUBLIC, 4000)), undefined);
    const port = router.outbound(1, INSIDE, PEER)!.port;
    assert.equal(port === 4000, input === "drop");
    assert.equal(router.outbound(1, INSIDE, OTHER)!.port, 4000);
  }
});

Deno.test("ConntrackBox stays in the trap for as long as early datagrams come", () => {
  const router = box({ input: "accept" });
  for (let ms = 0; ms <= 60_000; ms += 20_000) router.inbound(ms, PEER, at(PUBLIC, 4000));
  assert.notEqual(router.outbound(89_999, INSIDE, PEER)!.port, 4000);
});

Deno.test("ConntrackBox is out of the trap 30 s after the last early datagram", () => {
  const router = box({ input: "accept" });
  router.inbound(0, PEER, at(PUBLIC, 4000));
  assert.equal(router.outbound(30_000, INSIDE, PEER)!.port, 4000);
});

Deno.test("ConntrackBox keeps unreplied connections 30 s and streams 120 s", () => {
  const router = box();
  const external = router.outbound(0, INSIDE, PEER)!;
  assert.equal(router.inbound(30_000, PEER, external), undefined);
  router.outbound(31_000, INSIDE, PEER);
  assert.ok(router.inbound(31_010, PEER, external));
  assert.ok(router.outbound(34_000, INSIDE, PEER));
  assert.ok(router.inbound(153_999, PEER, external));
  assert.equal(router.inbound(273_999, PEER, external), undefined);
});

Deno.test("ConntrackBox with random ports has one for each remote", () => {
  const router = box({ ports: "random" });
  const ports = [PEER, OTHER, at(PEER.host, 101)].map((to) => router.outbound(0, INSIDE, to)!.port);
  assert.equal(new Set(ports).size, 3);
  assert.equal(router.outbound(1, INSIDE, PEER)!.port, ports[0]);
});

Deno.test("ConntrackBox forwards a port, and answers leave from it", () => {
  const router = box();
  router.forward(7000, INSIDE);
  assert.deepEqual(router.inbound(0, PEER, at(PUBLIC, 7000)), INSIDE);
  assert.deepEqual(router.outbound(1, INSIDE, PEER), at(PUBLIC, 7000));
});

Deno.test("ConntrackBox with a full table lets nothing new pass until something expires", () => {
  const router = box({ maxConnections: 2 });
  router.outbound(0, INSIDE, PEER);
  router.outbound(0, INSIDE, OTHER);
  assert.equal(router.outbound(1, INSIDE, at(PEER.host, 101)), undefined);
  assert.ok(router.outbound(30_000, INSIDE, at(PEER.host, 101)));
});

Deno.test("ConntrackBox forgets everything when flushed or renumbered", () => {
  const router = box();
  const external = router.outbound(0, INSIDE, PEER)!;
  router.flush();
  assert.equal(router.inbound(1, PEER, external), undefined);
  router.outbound(2, INSIDE, PEER);
  router.renumber("203.0.113.9");
  assert.equal(router.inbound(3, PEER, external), undefined);
  assert.deepEqual(router.outbound(3, INSIDE, PEER), at("203.0.113.9", 4000));
});

Deno.test("ConntrackBox does not turn datagrams round", () => {
  const router = box();
  router.outbound(0, INSIDE, PEER);
  assert.equal(router.hairpin(), undefined);
});
