/**
 * Goal: a sharer that lies about content, sends what nobody asked for, or never comes to an end makes
 * a receiver stop with the documented error, write nothing that is not verified, and hold no more
 * than its bounds.
 * Method: our own sharer with one thing made evil, over a link in memory; and an evil sharer with
 * real keys against a whole receiver in virtual time.
 */
import assert from "node:assert/strict";
import { type ErrorCode, ERRORS } from "../../lib/errors.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import type { ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import type { Message } from "../../lib/transfer/messages.ts";
import type { EvilPeer } from "../support/evil_peer.ts";
import { receiveFromEvil, type Rewrite } from "../support/evil_sharer.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { ack, block, close, frame, ping } from "../support/frame_bytes.ts";
import { errorsOf, HostileScene } from "../support/hostile_scene.ts";
import { Prng } from "../support/prng.ts";

const MIB = GROUP_BYTES;

function wireOf(code: ErrorCode): number | undefined {
  const row = ERRORS[code];
  return "wire" in row ? row.wire : undefined;
}

function makeSource(files: Readonly<Record<string, number>>): FakeStorage {
  const source = new FakeStorage();
  const prng = new Prng(9);
  for (const [name, size] of Object.entries(files)) {
    source.addFile(`/share/${name}`, prng.bytes(size));
  }
  return source;
}

/** Nothing is in its place but what is the same as what was shared. */
function assertOnlyVerified(source: FakeStorage, target: FakeStorage): number {
  let placed = 0;
  assert.equal(target.openFiles, 0);
  for (const path of target.paths("/into")) {
    const node = target.get(path)!;
    const isOwn = path.includes("/.p2pft-");
    if (node.kind !== "file" || isOwn) continue;
    placed++;
    assert.deepEqual(node.bytes, source.get(path.replace("/into", ""))?.bytes, path);
  }
  return placed;
}

// ---- content that is not what it should be ----

/** Changes data or words the first `times` times that something of file `big` or `small` comes. */
interface Lie {
  readonly files: Readonly<Record<string, number>>;
  /** Spoils the block bytes of these requests. */
  readonly damagedRequests?: readonly number[];
  readonly rewrite?: () => Rewrite;
  /** What comes of it; `done` is a transfer that is complete and right. */
  readonly ends: ErrorCode | "done";
  /** What the error names. */
  readonly names?: string;
}

const SPOILT = new Uint8Array(32).fill(0x5a);

/** Rewrites the first `times` messages that fit. */
function spoil(
  times: number,
  fits: (message: Message) => boolean,
  change: (message: Message) => readonly Message[],
): () => Rewrite {
  return () => {
    let left = times;
    return (message) => fits(message) && left-- > 0 ? change(message) : [message];
  };
}

const isNodes = (message: Message): boolean => message.type === "nodes";
const isWholeRoot = (message: Message): boolean =>
  message.type === "root" && message.status === "whole";

function wrongHashes(message: Message): readonly Message[] {
  if (message.type !== "nodes") return [message];
  const hashes = message.hashes.slice();
  hashes.set(SPOILT);
  return [{ ...message, hashes }];
}

const wrongRoot = (message: Message): readonly Message[] =>
  message.type === "root" ? [{ ...message, root: SPOILT }] : [message];

const BIG = { big: 3 * MIB + 77 };
const SMALL = { small: 5000 };

const LIES: Readonly<Record<string, Lie>> = {
  "data that is wrong once": { files: BIG, damagedRequests: [0], ends: "done" },
  "data of a small file that is wrong once": { files: SMALL, damagedRequests: [0], ends: "done" },
  "data that is wrong twice": {
    files: BIG,
    damagedRequests: [0, 1, 2, 3, 4],
    ends: "integrity",
    names: "big",
  },
  "data of a small file that is wrong twice": {
    files: { ...SMALL, zzz: 10 },
    damagedRequests: [0, 1, 2, 3],
    ends: "integrity",
    names: "small",
  },
  "a wrong hash of a group, once": {
    files: BIG,
    rewrite: spoil(1, isNodes, wrongHashes),
    ends: "done",
  },
  "wrong hashes of a group, always": {
    files: BIG,
    rewrite: spoil(Infinity, isNodes, wrongHashes),
    ends: "integrity",
    names: "big",
  },
  "a wrong root of a large file": {
    files: BIG,
    rewrite: spoil(1, isWholeRoot, wrongRoot),
    ends: "integrity",
    names: "big",
  },
  "a wrong root of a small file, once": {
    files: SMALL,
    rewrite: spoil(1, isWholeRoot, wrongRoot),
    ends: "done",
  },
  "wrong roots of a small file, always": {
    files: SMALL,
    rewrite: spoil(Infinity, isWholeRoot, wrongRoot),
    ends: "integrity",
    names: "small",
  },
  "wrong data in every group of a large file": {
    files: { big: 24 * MIB },
    damagedRequests: [0],
    ends: "integrity",
    names: "big",
  },
};

for (const [what, lie] of Object.entries(LIES)) {
  Deno.test(`Receiver takes ${what}, for what it is [XFER-12]`, async () => {
    const source = makeSource(lie.files);
    const target = new FakeStorage();
    const isSpoilt = new Set(lie.damagedRequests);
    const outcome = await receiveFromEvil({
      source,
      target,
      ...(lie.rewrite && { rewrite: lie.rewrite() }),
      damage: (request, _offset, bytes) => {
        if (isSpoilt.has(request)) bytes[0]! ^= 0xff;
      },
    });
    assert.equal(outcome.code, lie.ends, outcome.message);
    const placed = assertOnlyVerified(source, target);
    if (lie.ends === "done") {
      assert.equal(placed, Object.keys(lie.files).length);
      return;
    }
    assert.equal(outcome.told?.wireCode, wireOf(lie.ends));
    if (lie.names !== undefined) assert.match(outcome.message, new RegExp(`share/${lie.names}`));
  });
}

// ---- messages that are not true ----

/** Replaces messages of one type. */
function replacing<Type extends Message["type"]>(
  type: Type,
  change: (message: Message & { type: Type }) => readonly Message[],
): Rewrite {
  return (message) =>
    message.type === type ? change(message as Message & { type: Type }) : [message];
}

interface Untruth {
  readonly rewrite: Rewrite;
  readonly ends: ErrorCode;
}

const UNTRUTHS: Readonly<Record<string, Untruth>> = {
  "an offer of more than a million entries": {
    rewrite: replacing("offer", (offer) => [{ ...offer, entries: 1_000_001, files: 1_000_000 }]),
    ends: "limit_exceeded",
  },
  "an offer that does not add up": {
    rewrite: replacing("offer", (offer) => [{ ...offer, files: offer.files + 1 }]),
    ends: "protocol_violation",
  },
  "an offer of fewer bytes than it lists": {
    rewrite: replacing("offer", (offer) => [{ ...offer, bytes: offer.bytes - 1 }]),
    ends: "protocol_violation",
  },
  "an offer that counts a file as a folder": {
    rewrite: replacing("offer", (offer) => [
      { ...offer, files: offer.files - 1, directories: offer.directories + 1 },
    ]),
    ends: "protocol_violation",
  },
  "two offers": {
    rewrite: replacing("offer", (offer) => [offer, offer]),
    ends: "protocol_violation",
  },
  "a list without end": {
    rewrite: replacing("entries", (page) =>
      Array.from({ length: 1000 }, (_, index) => ({
        ...page,
        first: page.first + index * page.entries.length,
      }))),
    ends: "protocol_violation",
  },
  "an empty page": {
    rewrite: replacing("entries", (page) => [{ ...page, entries: [] }, page]),
    ends: "protocol_violation",
  },
  "pages in the wrong order": {
    rewrite: replacing("entries", (page) => [{ ...page, first: page.first + 1 }]),
    ends: "protocol_violation",
  },
  "sizes beyond 2^53": {
    rewrite: (message) => {
      if (message.type === "offer") return [{ ...message, bytes: Number.MAX_SAFE_INTEGER }];
      if (message.type !== "entries") return [message];
      const entries = message.entries.map((entry): ManifestEntry =>
        entry.kind === "file" ? { ...entry, sizeBytes: Number.MAX_SAFE_INTEGER } : entry
      );
      return [{ ...message, entries }];
    },
    ends: "limit_exceeded",
  },
  "a good-bye before anything was sent": {
    rewrite: replacing("offer", (offer) => [offer, { type: "bye" }]),
    ends: "protocol_violation",
  },
  "a root for a request that was never made": {
    rewrite: replacing("root", (root) => [{ ...root, request: root.request + 1000 }]),
    ends: "protocol_violation",
  },
  "two roots for one request": {
    rewrite: replacing("root", (root) => [root, root]),
    ends: "protocol_violation",
  },
  "hashes outside of the file": {
    rewrite: replacing("nodes", (nodes) => [{ ...nodes, firstGroup: nodes.firstGroup + 1000 }]),
    ends: "protocol_violation",
  },
  "the same hashes twice": {
    rewrite: replacing("nodes", (nodes) => [nodes, nodes]),
    ends: "protocol_violation",
  },
  "hashes without end": {
    rewrite: replacing("nodes", (nodes) => [{ ...nodes, hashes: new Uint8Array(32 * 8000) }]),
    ends: "protocol_violation",
  },
  "that it gave up what nobody gave up": {
    rewrite: replacing("root", (root) => [
      { ...root, status: "cancelled", root: new Uint8Array(0), sentBytes: 0 },
    ]),
    ends: "protocol_violation",
  },
  "that it sent more of a changed file than there is": {
    rewrite: replacing("root", (root) => [
      { ...root, status: "changed", root: new Uint8Array(0), sentBytes: 1 << 30 },
    ]),
    ends: "protocol_violation",
  },
  "the client's own words": {
    rewrite: replacing("offer", (offer) => [offer, { type: "list", first: 0 }]),
    ends: "protocol_violation",
  },
};

for (const [what, { rewrite, ends }] of Object.entries(UNTRUTHS)) {
  Deno.test(`Receiver ends with ${ends} when the sharer says ${what}`, async () => {
    const source = makeSource({ ...BIG, ...SMALL });
    const target = new FakeStorage();
    const outcome = await receiveFromEvil({ source, target, rewrite });
    assert.equal(outcome.code, ends, outcome.message);
    assert.equal(outcome.told?.wireCode, wireOf(ends));
    assertOnlyVerified(source, target);
  });
}

// ---- a whole receiver and a sharer that keeps to no rule ----

const ENTRY = { kind: "file", mtimeMs: 1000, executable: false } as const;

/** Greets and offers one file of this many bytes. */
function offerFile(evil: EvilPeer, sizeBytes: number): void {
  evil.say(
    { type: "hello", version: 1, features: 0, text: "" },
    { type: "offer", entries: 1, files: 1, directories: 0, links: 0, bytes: sizeBytes } as Message,
    { type: "entries", first: 0, entries: [{ ...ENTRY, path: "file", sizeBytes }] },
  );
}

type Play = (evil: EvilPeer, scene: HostileScene) => void | Promise<void>;

/** Lets a whole receiver meet an evil sharer, which has said what it offers. */
async function meet(sizeBytes: number, play: Play) {
  const scene = new HostileScene(5);
  const target = new FakeStorage();
  return await scene.run(async () => {
    const { peer, code } = scene.evilSharer();
    const receiving = scene.receive(code, { storage: target });
    await peer.ready;
    offerFile(peer, sizeBytes);
    await scene.sleep(200);
    assert.ok(peer.of("get").length > 0, "the file is asked for");
    await play(peer, scene);
    return { scene, target, receiving, evil: peer };
  });
}

const DEEDS: Readonly<Record<string, readonly [ErrorCode, Play]>> = {
  "ignores the credit it was given": ["protocol_violation", async (evil, scene) => {
    // Groups without their last byte are never written, so none of it is given back.
    for (let group = 0; group < 100; group++) {
      evil.sendBlock(0, group * MIB, new Uint8Array(MIB - 1));
      await scene.sleep(1);
    }
  }],
  "sends parts that were not asked for": ["protocol_violation", (evil) => {
    evil.sendBlock(0, 200 * MIB, new Uint8Array(10));
  }],
  "answers a request that was never made": ["protocol_violation", (evil) => {
    evil.sendBlock(77, 0, new Uint8Array(10));
  }],
  "sends a group in crumbs": ["protocol_violation", async (evil, scene) => {
    for (let at = 0; at < 1100; at++) {
      evil.send(block(0, 2 * at, new Uint8Array(1)));
      if (at % 100 === 99) await scene.sleep(1);
    }
  }],
  "acknowledges what was never sent": ["protocol_violation", (evil) => {
    evil.send(ack([[0, evil.largestReceived + 1_000_000]]));
  }],
  "sends frames that do not exist": ["protocol_violation", (evil) => evil.send(frame(0x3f))],
};

for (const [what, [code, play]] of Object.entries(DEEDS)) {
  Deno.test(`receive ends with ${code} when the sharer ${what}`, async () => {
    const { scene, receiving, evil, target } = await meet(100 * MIB, play);
    await scene.run(() => receiving.over, 60_000);
    assert.deepEqual(errorsOf(receiving).map((error) => error.code), [code]);
    const told = await scene.run(() => evil.closed, 1000);
    assert.equal(told.code, wireOf(code));
    assert.equal(target.openFiles, 0);
    assert.equal(target.get("/in/file"), undefined);
  });
}

Deno.test("receive says how slow it is when the sharer sends a byte a second, and stops when told", async () => {
  const { scene, receiving, evil, target } = await meet(MIB, async (evil, scene) => {
    for (let second = 0; second < 500; second++) {
      evil.send(block(0, second, new Uint8Array(1)));
      await scene.sleep(1000);
    }
  });
  assert.deepEqual(errorsOf(receiving), []);
  const progress = receiving.events.filter((event) => event.event === "progress").at(-1)!;
  assert.ok(progress.bytesDone <= 500);
  assert.ok(progress.rateBytesPerSecond <= 5, `${progress.rateBytesPerSecond} bytes a second`);
  // All that time makes no more events than progress has a second.
  assert.ok(receiving.events.length <= 10 * 500 + 50, `${receiving.events.length} events`);
  await scene.run(async () => {
    await receiving.operation.close();
    await receiving.over;
    await evil.closed;
  }, 1000);
  assert.equal(target.openFiles, 0);
  assert.equal(target.get("/in/file"), undefined);
});

Deno.test("receive is not kept from ending by a sharer that only answers", async () => {
  const scene = new HostileScene(6);
  const target = new FakeStorage();
  await scene.run(async () => {
    const { peer, code } = scene.evilSharer();
    const receiving = scene.receive(code, { storage: target });
    await peer.ready;
    for (let second = 0; second < 120; second++) {
      peer.send(ping());
      await scene.sleep(1000);
    }
    // It is known that there is a connection and that nothing is offered.
    assert.ok(receiving.events.some(({ event }) => event === "connected"));
    assert.ok(!receiving.events.some(({ event }) => event === "offer"));
    await receiving.operation.close();
    await receiving.over;
    assert.ok(!receiving.events.some(({ event }) => event === "done"));
    assert.deepEqual(target.paths("/"), []);
  });
});

Deno.test("receive ends with the sharer's number, whatever words it gives as the reason", async () => {
  for (
    const [number, code] of [[2, "protocol_violation"], [999, "protocol_violation"], [
      4,
      "share_closed",
    ]] as const
  ) {
    const { scene, receiving } = await meet(MIB, (evil) => {
      evil.send(close(number, "\u001b[31m\u202edone\r\nDone: everything\u0000"));
    });
    await scene.run(() => receiving.over, 10_000);
    assert.deepEqual(errorsOf(receiving).map((error) => error.code), [code]);
  }
});
