/**
 * Goal: an onlooker learns nothing from a whole session but addresses, times and sizes, and strangers
 * get nothing back.
 * Method: whole sessions in virtual time, every datagram captured; their bytes are tested for
 * evenness, searched for what must not be seen, and counted. With fixed seeds a test that passes once
 * passes always: 1 in 1,000 was allowed to each.
 */
import assert from "node:assert/strict";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import {
  assertComplete,
  EVIL_HOST,
  HONEST_HOST,
  HostileScene,
  type SeenDatagram,
  SHARER_HOST,
} from "../support/hostile_scene.ts";
import { readCode } from "../support/share_codes.ts";
import { assertHidden, assertNoise, ByteCounts, chiSquareLimit } from "../support/wire_tap.ts";

/** One in 1,000. */
const Z = 3.09;
const HANDSHAKE_BYTES = 1200;

const SECRET_TEXT = "Ceterum censeo Carthaginem esse delendam. ";
const NAMES = ["confidential plans", "Gehaltsliste 2026.xlsx", "名前の秘密"];

const encoder = new TextEncoder();

/** A session that moves files of one repeated sentence, and all that was sent in it. */
async function capture(seed: number, files: Readonly<Record<string, number>>) {
  const scene = new HostileScene(seed);
  const target = new FakeStorage();
  scene.isCapturing = true;
  return await scene.run(async () => {
    for (const [name, size] of Object.entries(files)) {
      const bytes = encoder.encode(SECRET_TEXT.repeat(Math.ceil(size / SECRET_TEXT.length)));
      scene.source.addFile(`/share/${name}`, bytes.subarray(0, size));
    }
    const sharing = await scene.share(1);
    const receiving = scene.receive(sharing.operation.code, { storage: target });
    await receiving.over;
    assertComplete(receiving, scene.source, target);
    await sharing.operation.close();
    return { captured: scene.captured, code: sharing.operation.code };
  });
}

const from = (host: string) => ({ from }: SeenDatagram): boolean => from.host === host;
const bytesOf = (seen: readonly SeenDatagram[]): Uint8Array[] => seen.map(({ bytes }) => bytes);

Deno.test("chiSquareLimit is the table's, and ByteCounts tells text from noise", () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.4: 100 degrees, 0.001.
  assert.ok(Math.abs(chiSquareLimit(3.0902, 100) - 149.449) < 0.1);
  const text = new ByteCounts();
  text.add(encoder.encode(SECRET_TEXT.repeat(100)));
  assert.throws(() => text.assertEven("text", Z));
  const counter = Array.from({ length: 2000 }, (_, index) => new Uint8Array(60).fill(index));
  assert.throws(() => assertNoise(counter, Z));
});

Deno.test("a session on the wire cannot be told from noise, byte by byte", async () => {
  const { captured } = await capture(1, { [NAMES[0]!]: 3_000_000, [NAMES[1]!]: 500_000 });
  for (const host of [SHARER_HOST, HONEST_HOST]) {
    const datagrams = bytesOf(captured.filter(from(host)));
    assert.ok(datagrams.length > 300, `${datagrams.length}`);
    assertNoise(datagrams, Z);
  }
});

Deno.test("nothing of names, contents or the code is in clear on the wire", async () => {
  const files = Object.fromEntries(NAMES.map((name) => [name, 50_000]));
  const { captured, code } = await capture(2, files);
  const { t, candidates: [candidate] } = readCode(code);
  assertHidden(bytesOf(captured), {
    ...Object.fromEntries(NAMES.map((name) => [name, encoder.encode(name).subarray(0, 12)])),
    "the folder": encoder.encode("/share"),
    "a sentence": encoder.encode(SECRET_TEXT.slice(0, 10)),
    "the code": encoder.encode(code.slice(4, 14)),
    "what the code commits to": t.subarray(0, 8),
    "the greeting": encodeHello({ version: 1, features: 0, text: "p2pft" }),
    "the protocol": encoder.encode("p2pft/1"),
    "the address in the code": encoder.encode(candidate!.address.host),
  });
});

Deno.test("two sessions of one share have no bytes in common but by chance", async () => {
  const scene = new HostileScene(3);
  scene.isCapturing = true;
  await scene.run(async () => {
    const sharing = await scene.share(100_000);
    for (let round = 0; round < 2; round++) {
      await scene.receive(sharing.operation.code, { storage: new FakeStorage() }).over;
    }
    await sharing.operation.close();
  });
  const seen = new Set<string>();
  for (const { from, bytes } of scene.captured) {
    if (bytes.length < 32) continue;
    // Any eight bytes at the beginning of what is not the connection id.
    const piece = `${bytes.subarray(6, 14).join()}`;
    assert.ok(!seen.has(piece), `${from.host} sent a beginning twice`);
    seen.add(piece);
  }
});

Deno.test("where files end does not show in the lengths of datagrams", async () => {
  const shares = [
    { one: 2_000_000 },
    Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index}`, 5000])),
    Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`${index}`, 4000 + 5 * index])),
  ];
  const shorts: number[] = [];
  for (const files of shares) {
    const { captured } = await capture(4, files);
    const sent = captured.filter(from(SHARER_HOST)).map(({ bytes }) => bytes.length);
    const full = Math.max(...sent);
    // Those that are neither as long as may be nor as short as an acknowledgement.
    shorts.push(sent.filter((length) => length < full - 40 && length > 120).length);
  }
  const [one, even, odd] = shorts as [number, number, number];
  // Files share datagrams: 400 ends are not 400 short ones.
  for (const many of [even, odd]) assert.ok(many <= one + 120, `${shorts}`);
});

Deno.test("before a client has proved that it receives, it gets no more bytes than it sent", async () => {
  const { captured } = await capture(5, { small: 1000 });
  const balance = new Map<string, number>();
  const key = ({ host, port }: SocketAddress): string => `${host} ${port}`;
  let proofs = 0;
  for (const { from, to, bytes } of captured) {
    const isToSharer = to.host === SHARER_HOST;
    if (isToSharer && bytes.length === HANDSHAKE_BYTES) proofs++;
    // Messages 1 and 3; what follows is of a client that has proved its address.
    if (proofs >= 2) break;
    const who = key(isToSharer ? from : to);
    const owed = (balance.get(who) ?? 0) + (isToSharer ? bytes.length : -bytes.length);
    assert.ok(owed >= 0, `${-owed} bytes more than came`);
    balance.set(who, owed);
  }
  assert.ok(proofs >= 2);
});

/** Plays a transfer beside which somebody sends datagrams; gives the bytes that went both ways. */
async function besideStranger(
  disturb: (scene: HostileScene, send: (bytes: Uint8Array, to: SocketAddress) => void) => void,
): Promise<{ readonly said: number; readonly heard: number }> {
  const scene = new HostileScene(6);
  const target = new FakeStorage();
  const traffic = { said: 0, heard: 0 };
  scene.isCapturing = true;
  await scene.run(async () => {
    const sharing = await scene.share(400_000);
    const receiving = scene.receive(sharing.operation.code, { storage: target });
    const stranger = scene.net.network.bind(EVIL_HOST, 7);
    void stranger.receive((datagram) => void (traffic.heard += datagram.length));
    // Who is faster than both may keep a handshake from ending, as who drops datagrams may.
    await scene.sleep(100);
    let isOver = false;
    const strange = (async () => {
      while (!isOver) {
        disturb(scene, (bytes, to) => {
          traffic.said += bytes.length;
          void stranger.send(bytes, to);
        });
        await scene.sleep(1);
      }
    })();
    await receiving.over;
    isOver = true;
    await strange;
    await scene.sleep(1000);
    assertComplete(receiving, scene.source, target);
    await sharing.operation.close();
  });
  return traffic;
}

Deno.test("strangers get no byte from either side, whatever they send", async () => {
  const { said, heard } = await besideStranger(({ world: { prng } }, send) => {
    for (const [host, port] of [[SHARER_HOST, 4000], [HONEST_HOST, 6000]] as const) {
      send(prng.bytes(prng.pick([1, 20, 64, 128, 1200, 1472])), { family: 4, host, port });
    }
  });
  assert.ok(said > 10_000);
  assert.equal(heard, 0);
});

Deno.test("who overtakes datagrams with copies of them stops nothing and gets next to nothing", async () => {
  let next = 0;
  const { said, heard } = await besideStranger(({ captured, world: { prng } }, send) => {
    for (next ||= captured.length; next < captured.length; next++) {
      const { to, bytes } = captured[next]!;
      const copy = bytes.slice();
      if (prng.chance(0.3)) copy[prng.integer(0, copy.length - 1)]! ^= 1 << prng.integer(0, 7);
      send(copy, to);
    }
  });
  assert.ok(said > 200_000);
  // A path is challenged before anything goes there [PATH-1], and he cannot answer.
  assert.ok(heard <= 20 * HANDSHAKE_BYTES, `${heard} bytes`);
});
