/**
 * Goal: a client that breaks the rules of packets, frames or messages ends its own session with the
 * documented number, or is ignored; the share and its other client do not notice.
 * Method: a whole share in virtual time with an honest client in the middle of its transfer; the evil
 * client has the code, does a real handshake, and then sends what the case says.
 */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { type ErrorCode, ERRORS } from "../../lib/errors.ts";
import { encodeCandidates } from "../../lib/nat/candidate.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { HandClient } from "../support/code_holder.ts";
import type { EvilPeer } from "../support/evil_peer.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import {
  ack,
  block,
  candidates,
  close,
  control,
  credit,
  frame,
  limited,
  observedAddress,
  pathChallenge,
  ping,
  varint,
} from "../support/frame_bytes.ts";
import {
  assertComplete,
  errorsOf,
  EVIL_HOST,
  HostileScene,
  SHARER_HOST,
} from "../support/hostile_scene.ts";
import { readCode } from "../support/share_codes.ts";

const ALL = { ranges: [] };
/** Largest that a varint can be. */
const HUGE = Number.MAX_SAFE_INTEGER;

/** An evil deed; what it needs of the scene is handed in. */
type Deed = (evil: EvilPeer, scene: HostileScene) => void | Promise<void>;

/** What the sharer sends to a peer that it has nothing to send to, bytes: probes of sizes, CREDIT. */
const IDLE_BYTES = 60_000;

/** Plays a deed beside an honest transfer; gives the scene's share and the evil client. */
async function play(deed: Deed, request?: Uint8Array) {
  const scene = new HostileScene(1);
  const target = new FakeStorage();
  return await scene.run(async () => {
    const sharing = await scene.share();
    const { code } = sharing.operation;
    const honest = scene.receive(code, { storage: target });
    await scene.sleep(400);
    const evil = scene.evilClient(code, request);
    await evil.ready;
    await scene.sleep(50);
    await deed(evil, scene);
    await honest.over;
    assertComplete(honest, scene.source, target);
    return { scene, sharing, evil };
  });
}

/** Plays a deed that must end its session with an error of the sharer's. */
async function assertClosed(code: ErrorCode, deed: Deed, request?: Uint8Array): Promise<void> {
  const { sharing, evil, scene } = await play(deed, request);
  const close = await scene.run(() => evil.closed, 60_000);
  const row = ERRORS[code];
  assert.equal(close.code, "wire" in row ? row.wire : undefined, close.reason);
  const errors = errorsOf(sharing);
  assert.deepEqual(errors.map((error) => [error.code, error.fatal]), [[code, false]]);
  await scene.run(() => sharing.operation.close());
}

/** Candidates at addresses of strangers; their ports differ, as every list may be written. */
function strangersList(count: number, firstPort: number): Uint8Array {
  const out = new Uint8Array(200);
  const list = Array.from({ length: count }, (_, index) => ({
    kind: "host" as const,
    address: { family: 4 as const, host: `198.51.100.${index + 1}`, port: firstPort + index },
  }));
  return out.slice(0, encodeCandidates(list, out, 0));
}

/** A list of one candidate whose address bytes are these. */
const badList = (ip: readonly number[], port: number): Uint8Array =>
  new Uint8Array([0, ...ip, port >>> 8, port]);

const tooManyRanges = frame(0x02, 200, 0, 64, 0, ...new Array(128).fill(0));

const VIOLATIONS: Readonly<Record<string, Deed>> = {
  "a frame of an unknown type": (evil) => evil.send(frame(0x2a)),
  "a frame of the reserved type": (evil) => evil.send(frame(0x08, new Uint8Array(20))),
  "a packet without frames": (evil) => evil.send(),
  "a frame that ends early": (evil) => evil.send(control(0, new Uint8Array(9)).subarray(0, 6)),
  "a varint above 2^53 - 1": (evil) =>
    evil.send(concatBytes(new Uint8Array([0x05]), new Uint8Array(8).fill(0xff), varint(1))),
  "an ACK for packets that were never sent": (evil) =>
    evil.send(ack([[evil.largestReceived + 5000, evil.largestReceived + 5000]])),
  "an ACK up to the largest number there is": (evil) => evil.send(ack([[0, HUGE]])),
  "an ACK of more than 64 ranges": (evil) => evil.send(tooManyRanges),
  "an ACK with a range below 0": (evil) => evil.send(frame(0x02, 3, 0, 0, 4)),
  "two ACKs in one packet": (evil) => evil.send(ack([[0, 0]]), ack([[0, 0]])),
  "control bytes beyond the credit": (evil) => evil.send(control(64 << 20, new Uint8Array(1))),
  "control bytes at the end of all offsets": (evil) =>
    evil.send(control(HUGE, new Uint8Array(100))),
  "more than 1024 pieces beyond a gap": (evil) => {
    for (let at = 0; at < 1100; at++) evil.send(control(100 + 2 * at, new Uint8Array(1)));
  },
  "a block that nobody asked for": (evil) => evil.send(block(0, 0, new Uint8Array(100))),
  "blocks beyond the credit": (evil) => {
    for (let at = 0; at < 20; at++) evil.send(block(0, at << 20, new Uint8Array(1000)));
  },
  "a CLOSE with a text that is too long": (evil) =>
    evil.send(frame(0x0c, 2, 257, new Uint8Array(257))),
  "an unspecified address among candidates": (evil) =>
    evil.send(candidates(0, badList([0, 0, 0, 0], 9))),
  "a multicast address among candidates": (evil) =>
    evil.send(candidates(0, badList([224, 0, 0, 1], 9))),
  "the broadcast address among candidates": (evil) =>
    evil.send(candidates(0, badList([255, 255, 255, 255], 9))),
  "port 0 among candidates": (evil) => evil.send(candidates(0, badList([198, 51, 100, 1], 0))),
  "an empty list of candidates": (evil) => evil.send(candidates(0, new Uint8Array(0))),
  "nine candidates": (evil) => evil.send(candidates(0, strangersList(9, 1000))),
  "an observed address with port 0": (evil) =>
    evil.send(observedAddress(0, 4, [203, 0, 113, 1], 0)),
  "an observed address of no family": (evil) =>
    evil.send(observedAddress(0, 5, [203, 0, 113, 1], 9)),
  "a message of an unknown type": (evil) => evil.sayBytes(new Uint8Array([0x30, 0])),
  "a message of the sharer": (evil) => evil.say({ type: "pending", reason: "admission" }),
  "a malformed message": (evil) => evil.sayBytes(new Uint8Array([0x06, 2, 0, 0])),
  "a second HELLO": (evil) => evil.say({ type: "hello", version: 1, features: 0, text: "again" }),
  "an entry that is not there": (evil) =>
    evil.say({ type: "list", first: 0 }, {
      type: "get",
      firstRequest: 0,
      items: [{ entry: 999, ...ALL }],
    }),
  "a range beyond the end of a file": (evil) =>
    evil.say({
      type: "get",
      firstRequest: 0,
      items: [{ entry: 1, ranges: [{ offset: 64 << 20, length: 1 << 20 }] }],
    }),
  "a request out of sequence": (evil) =>
    evil.say({ type: "get", firstRequest: 7, items: [{ entry: 1, ...ALL }] }),
  "a CANCEL for nothing": (evil) => evil.say({ type: "cancel", request: 3 }),
};

/** Takes the large file and acknowledges, besides what came, whatever `choose` says is missing. */
function optimist(choose: (missing: readonly number[]) => readonly number[]): Deed {
  return async (evil, scene) => {
    evil.isAcknowledging = false;
    evil.send(credit(1 << 30, 1 << 30));
    evil.say({ type: "get", firstRequest: 0, items: [{ entry: 1, ...ALL }] });
    for (let round = 0; round < 400; round++) {
      await scene.sleep(5);
      if (evil.received.some(({ name }) => name === "CLOSE")) return;
      const numbers = new Set(evil.numbers);
      const missing: number[] = [];
      for (let number = 0; number < evil.largestReceived; number++) {
        if (!numbers.has(number)) missing.push(number);
      }
      for (const number of choose(missing)) numbers.add(number);
      evil.send(ack(newestRanges([...numbers], 30)));
    }
  };
}

/** Numbers as ranges, the newest first. */
function newestRanges(numbers: number[], count: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (const number of numbers.sort((a, b) => b - a)) {
    const range = ranges.at(-1);
    if (range !== undefined && range[0] === number + 1) range[0] = number;
    else if (ranges.push([number, number]) > count) break;
  }
  return ranges.slice(0, count);
}

Deno.test("[ACK-6] share ends the session of a client that acknowledges what did not come, soon", async () => {
  for (
    const choose of [
      (missing: readonly number[]) => missing,
      (missing: readonly number[]) => missing.slice(-1),
    ]
  ) {
    let taken = 0;
    await assertClosed("protocol_violation", async (evil, scene) => {
      await optimist(choose)(evil, scene);
      taken = evil.largestReceived;
    });
    assert.ok(taken < 1000, `after ${taken} packets`);
  }
});

Deno.test("[ACK-6] share bears a client that acknowledges what came, however many numbers are missing", async () => {
  const { sharing, evil, scene } = await play(optimist(() => []));
  assert.deepEqual(errorsOf(sharing), []);
  assert.ok(evil.largestReceived > 1000, `${evil.largestReceived} packets`);
  await scene.run(() => sharing.operation.close());
});

for (const [what, deed] of Object.entries(VIOLATIONS)) {
  Deno.test(`share ends the session of a client that sends ${what}, and only that`, async () => {
    await assertClosed("protocol_violation", deed);
  });
}

const TOO_MUCH: Readonly<Record<string, Deed>> = {
  "a message that is too long": (evil) =>
    evil.sayBytes(concatBytes(new Uint8Array([0x08]), varint(262_145))),
  "a message whose length has no end": (evil) =>
    evil.sayBytes(concatBytes(new Uint8Array([0x45]), varint(HUGE))),
  "more ranges than a GET may have": (evil) => {
    const body = concatBytes(varint(0), varint(1), varint(1025), new Uint8Array(3000));
    evil.sayBytes(concatBytes(new Uint8Array([0x08]), varint(body.length), body));
  },
  "more requests than may be open": async (evil, scene) => {
    evil.send(credit(0, 1 << 20));
    for (let first = 0; first < 70_000; first += 4000) {
      const items = Array.from({ length: 4000 }, () => ({ entry: 1, ...ALL }));
      evil.say({ type: "get", firstRequest: first, items });
      await scene.sleep(20);
    }
  },
};

for (const [what, deed] of Object.entries(TOO_MUCH)) {
  Deno.test(`share ends the session of a client that sends ${what}, and only that`, async () => {
    await assertClosed("limit_exceeded", deed);
  });
}

Deno.test("share ends the session of a client whose receipt is not what was sent", async () => {
  await assertClosed(
    "integrity",
    (evil) =>
      evil.say({ type: "receipt", root: new Uint8Array(32), items: 1, bytes: 1, leftOut: 0 }),
  );
});

Deno.test("share ends the session of a client whose first words are of another version", async () => {
  const request = encodeHello({ version: 99, features: 0, text: "" });
  await assertClosed("version_mismatch", () => {}, request);
});

const BORNE: Readonly<Record<string, Deed>> = {
  "messages of types that may be added": (evil) =>
    evil.sayBytes(new Uint8Array([0x40, 1, 9, 0x7f, 0])),
  "limits that mean nothing": (evil) => evil.send(limited(HUGE, HUGE), credit(HUGE, HUGE)),
  "credit that goes back": (evil) => evil.send(credit(0, 0)),
  "its messages in single bytes, the last first": (evil) => {
    const list = concatBytes(new Uint8Array([0x06, 1, 0]), new Uint8Array([0x40, 40]));
    for (let at = list.length - 1; at >= 0; at--) evil.send(control(at, list.subarray(at, at + 1)));
  },
  "addresses of strangers as its own": (evil) => evil.send(candidates(0, strangersList(8, 1000))),
};

for (const [what, deed] of Object.entries(BORNE)) {
  Deno.test(`share bears a client that sends ${what}`, async () => {
    const { sharing, evil, scene } = await play(deed);
    assert.deepEqual(errorsOf(sharing), []);
    assert.deepEqual(evil.received.filter(({ name }) => name === "CLOSE"), []);
    await scene.run(() => sharing.operation.close());
  });
}

Deno.test("share sends at most 128 small challenges to addresses that a client makes up", async () => {
  const { scene, sharing } = await play(async (evil, scene) => {
    for (let round = 0; round < 100; round++) {
      evil.send(candidates(round, strangersList(8, 1000 + 8 * round)));
      await scene.sleep(100);
    }
  });
  let bytes = 0;
  for (const [host, sent] of scene.bytesTo) if (host.startsWith("198.51.100.")) bytes += sent;
  assert.ok(bytes > 0, "it looks at what it is told");
  assert.ok(bytes <= 128 * 38, `${bytes} bytes to strangers`);
  await scene.run(() => sharing.operation.close());
});

for (
  const [what, hostile] of [["PINGs", ping()], [
    "challenges",
    pathChallenge(new Uint8Array(8)),
  ]] as const
) {
  Deno.test(`share answers a flood of ${what} with less than it gets`, async () => {
    const { evil, scene, sharing } = await play(async (evil, scene) => {
      const before = { ...evil.traffic };
      for (let burst = 0; burst < 100; burst++) {
        for (let index = 0; index < 100; index++) evil.send(hostile);
        await scene.sleep(10);
      }
      const got = evil.traffic.bytesOut - before.bytesOut;
      const given = evil.traffic.bytesIn - before.bytesIn;
      assert.ok(given <= got + IDLE_BYTES, `${given} bytes for ${got}`);
    });
    assert.deepEqual(evil.received.filter(({ name }) => name === "CLOSE"), []);
    assert.deepEqual(errorsOf(sharing), []);
    await scene.run(() => sharing.operation.close());
  });
}

Deno.test("share keeps what a client that acknowledges nothing can make it send within its window", async () => {
  const { evil, scene, sharing } = await play(async (evil, scene) => {
    evil.isAcknowledging = false;
    evil.send(credit(HUGE, HUGE));
    evil.say({ type: "list", first: 0 }, {
      type: "get",
      firstRequest: 0,
      items: [{ entry: 1, ...ALL }],
    });
    await scene.sleep(20_000);
  });
  // A first window, probes of sizes, and repeats on timeouts that double.
  assert.ok(evil.traffic.bytesIn < 200_000, `${evil.traffic.bytesIn} bytes`);
  await scene.run(() => sharing.operation.close());
});

Deno.test("share closes only the session that its own client closes, with whatever reason", async () => {
  const reason = "\u001b]0;owned\u0007\u001b[2J\u202e\nerror: fake";
  const { sharing, scene } = await play((evil) => evil.send(close(9, reason)));
  const [error] = errorsOf(sharing);
  assert.equal(error?.code, "write_failed");
  assert.equal(error.fatal, false);
  await scene.run(() => sharing.operation.close());
});

Deno.test("share lets a client in while others leave thousands of handshakes half open", async () => {
  const scene = new HostileScene(2);
  const target = new FakeStorage();
  await scene.run(async () => {
    const sharing = await scene.share(300_000);
    const { code } = sharing.operation;
    const { t, candidates: [candidate] } = readCode(code);
    let isFlooding = true;
    const flood = (async () => {
      const sockets = Array.from({ length: 40 }, (_, index) => scene.bind(`10.66.${index}.1`, 900));
      for (let round = 0; isFlooding; round++) {
        const message1 = new HandClient(t, scene.world.prng).message1();
        void sockets[round % sockets.length]!.send(message1, candidate!.address);
        await scene.sleep(2);
      }
    })();
    await scene.sleep(4000);
    const honest = scene.receive(code, { storage: target });
    await honest.over;
    isFlooding = false;
    await flood;
    assertComplete(honest, scene.source, target);
    let strangers = 0;
    for (const [host, bytes] of scene.bytesTo) if (host.startsWith("10.66.")) strangers += bytes;
    assert.ok(strangers <= scene.bytesTo.get(SHARER_HOST)!, "more sent than came");
    assert.deepEqual(errorsOf(sharing), []);
    await sharing.operation.close();
  });
});

Deno.test("share and receive give no byte for any datagram of an earlier session", async () => {
  const scene = new HostileScene(3);
  await scene.run(async () => {
    const sharing = await scene.share(200_000);
    const { code } = sharing.operation;
    scene.isCapturing = true;
    const first = new FakeStorage();
    const earlier = scene.receive(code, { storage: first });
    await earlier.over;
    scene.isCapturing = false;
    const { captured } = scene;
    assert.ok(captured.length > 100);

    const second = new FakeStorage();
    const running = scene.receive(code, { storage: second });
    await scene.sleep(60);
    const clientPort = 6001;
    const before = sharing.events.length;
    const stranger = scene.bind(EVIL_HOST, 1);
    const answers: Uint8Array[] = [];
    void stranger.receive((datagram) => answers.push(datagram.slice()));
    const sharer = { family: 4, host: SHARER_HOST, port: 4000 } as const;
    const client = { family: 4, host: "10.0.0.2", port: clientPort } as const;
    for (const { bytes } of captured) {
      void stranger.send(bytes, sharer);
      void stranger.send(bytes, client);
    }
    await running.over;
    await scene.sleep(5000);
    assertComplete(running, scene.source, second);
    assert.deepEqual(answers, []);
    const connected = sharing.events.slice(before).filter(({ event }) => event === "connected");
    assert.ok(connected.length <= 1, "a replay began a session");
    assert.deepEqual(errorsOf(sharing), []);
    // From the addresses of that session too: they may be somebody else's by now.
    const replayed = scene.net.network.bind("10.0.0.2", 6000);
    const again: Uint8Array[] = [];
    void replayed.receive((datagram) => again.push(datagram.slice()));
    for (const { bytes } of captured) void replayed.send(bytes, sharer);
    await scene.sleep(5000);
    assert.deepEqual(again, []);
    await sharing.operation.close();
  });
});

Deno.test("share goes on as fast, and says nothing, while 100,000 datagrams a second are garbage", async () => {
  const durations: number[] = [];
  for (const garbagePerMs of [0, 100]) {
    const scene = new HostileScene(4);
    const target = new FakeStorage();
    await scene.run(async () => {
      const sharing = await scene.share(600_000);
      const startMs = scene.world.nowMs;
      const honest = scene.receive(sharing.operation.code, { storage: target });
      const stranger = scene.bind(EVIL_HOST, 1);
      let answers = 0;
      void stranger.receive(() => answers++);
      let isFlooding = garbagePerMs > 0;
      const sharer = { family: 4, host: SHARER_HOST, port: 4000 } as const;
      const noise = scene.world.prng.bytes(4000);
      const lengths = [1, 13, 29, 64, 128, 1199, 1200, 1472];
      const flood = (async () => {
        for (let at = 0; isFlooding; at++) {
          for (let index = 0; index < garbagePerMs; index++) {
            const from = (at * 31 + index * 7) % 2000;
            const length = lengths[index % lengths.length]!;
            void stranger.send(noise.subarray(from, from + length), sharer);
          }
          await scene.sleep(1);
        }
      })();
      await honest.over;
      durations.push(scene.world.nowMs - startMs);
      isFlooding = false;
      await flood;
      assertComplete(honest, scene.source, target);
      assert.equal(answers, 0);
      await sharing.operation.close();
    });
  }
  const [plain, flooded] = durations as [number, number];
  assert.ok(flooded <= plain * 1.05, `${flooded} ms instead of ${plain}`);
});
