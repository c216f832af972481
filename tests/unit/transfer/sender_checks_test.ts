/**
 * Goal: a client learns what a file is now without a byte of it being sent, nothing else waits for
 * that, and no client makes the sharer hash without end.
 * Method: a real sender against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { hashGroup, TreeHasher } from "../../../lib/transfer/hash_tree.ts";
import {
  CONTROL_QUEUE_BYTES,
  GROUP_BYTES,
  MAX_CHECK_GROUPS,
  MAX_OPEN_REQUESTS,
  ROOTS_PER_WRITE,
} from "../../../lib/transfer/limits.ts";
import type { Message, Root } from "../../../lib/transfer/messages.ts";
import { ShareTree } from "../../../lib/transfer/offer/share_tree.ts";
import { StorageError } from "../../../lib/storage/storage.ts";
import { wireOf } from "../../support/raw_peer.ts";
import { all, SenderAttack } from "../../support/sender_attack.ts";

const MIB = GROUP_BYTES;
const BIG = "/share/big";
const SMALL = "/share/small";

/** The hashes of all groups of some bytes, and the root over them. */
function treeOf(bytes: Uint8Array): { readonly hashes: Uint8Array[]; readonly root: Uint8Array } {
  const hashes: Uint8Array[] = [];
  const tree = new TreeHasher(nodeProvider);
  for (let offset = 0; offset < bytes.length; offset += MIB) {
    hashes.push(hashGroup(nodeProvider, bytes.subarray(offset, offset + MIB)));
    tree.push(hashes.at(-1)!);
  }
  return { hashes, root: tree.root() };
}

function hashed(request: number, bytes: Uint8Array): Root {
  return { type: "root", request, status: "hashed", root: treeOf(bytes).root, sentBytes: 0 };
}

Deno.test("Sender answers CHECK with all hashes and no bytes [XFER-17]", async () => {
  const attack = await new SenderAttack().start();
  attack.check(0, 1, 2, 3);
  await attack.settle();
  const { big, peer } = attack;
  const nodes = treeOf(big).hashes.map((hashes, firstGroup): Message => ({
    type: "nodes",
    request: 0,
    firstGroup,
    hashes,
  }));
  assert.deepEqual(attack.messagesOf(0), [...nodes, hashed(0, big)]);
  assert.deepEqual(attack.messagesOf(1), [hashed(1, new Uint8Array(0))]);
  assert.deepEqual(attack.messagesOf(2), [hashed(2, new TextEncoder().encode("small"))]);
  assert.deepEqual(attack.ends.map(([request]) => request), [0, 1, 2]);
  assert.deepEqual(peer.blocks, []);
  assert.equal(attack.storage.openFiles, 0);
});

Deno.test("Sender numbers GET and CHECK in one sequence, and answers each in its order [XFER-7] [XFER-18]", async () => {
  const attack = await new SenderAttack().start();
  attack.check(0, 1);
  attack.get(1, all(3), all(1));
  attack.check(3, 3, 2);
  attack.get(5, all(2));
  await attack.settle();
  const endsOf = (kind: string) => attack.ends.filter(([, status]) => status === kind);
  assert.deepEqual(endsOf("hashed").map(([request]) => request), [0, 3, 4]);
  assert.deepEqual(endsOf("whole").map(([request]) => request), [1, 2, 5]);
  assert.deepEqual(attack.bytesOf(2), attack.big);
  attack.check(6, 0);
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender answers CHECK while a client takes no bytes [XFER-18]", async () => {
  const attack = new SenderAttack({ creditBytes: MIB, queueTargetBytes: MIB });
  await attack.start();
  attack.get(0, all(1), all(2));
  attack.check(2, 3, 1);
  await attack.settle();
  assert.deepEqual(attack.ends, [[2, "hashed", 0], [3, "hashed", 0]]);
  assert.ok(attack.bytesOf(0).length <= MIB);
});

Deno.test("Sender sends files while one is hashed that cannot be read quickly [XFER-18]", async () => {
  const attack = await new SenderAttack().start();
  const { storage } = attack;
  const open = storage.openSource.bind(storage);
  let goOn = () => {};
  storage.openSource = async (path) => {
    if (path === BIG) await new Promise<void>((resolve) => goOn = resolve);
    return await open(path);
  };
  attack.check(0, 1, 3);
  attack.get(2, all(3), all(2));
  await attack.settle();
  assert.deepEqual(attack.ends, [[2, "whole", 0], [3, "whole", 0]]);
  goOn();
  await attack.settle();
  assert.deepEqual(attack.ends.slice(2), [[0, "hashed", 0], [1, "hashed", 0]]);
});

Deno.test("Sender refuses a CHECK of what cannot be checked [XFER-7] [XFER-17]", async () => {
  const cases: [string, (attack: SenderAttack) => void][] = [
    ["a folder", (attack) => attack.check(0, 0)],
    ["a link", (attack) => attack.check(0, 4)],
    ["nothing", (attack) => attack.check(0, 5)],
    ["a number beyond all", (attack) => attack.check(0, 2 ** 50)],
    ["twice in one message", (attack) => attack.check(0, 3, 3)],
    ["twice", (attack) => {
      attack.check(0, 3);
      attack.check(1, 3);
    }],
    ["a number left out", (attack) => attack.check(1, 3)],
    ["a number used by GET", (attack) => {
      attack.get(0, all(3));
      attack.check(0, 3);
    }],
  ];
  const { manifest } = await new SenderAttack().start();
  const entries: ManifestEntry[] = [...manifest.entries, {
    kind: "symlink",
    path: "share/z",
    linkTarget: "small",
    sizeBytes: 0,
    mtimeMs: 0,
    executable: false,
  }];
  for (const [what, ask] of cases) {
    const attack = await new SenderAttack().start({ manifest: { ...manifest, entries } });
    ask(attack);
    assert.equal(await attack.outcome(), "protocol_violation", what);
    assert.equal(attack.peer.wireCode, wireOf("protocol_violation"));
    assert.deepEqual(attack.peer.blocks, []);
  }
});

Deno.test("Sender hashes no file whose hashes would be too many [XFER-17]", async () => {
  const { manifest } = await new SenderAttack().start();
  const run = async (sizeBytes: number) => {
    const entries = manifest.entries.map((entry) =>
      entry.path === "share/small" ? { ...entry, sizeBytes } : entry
    );
    const attack = await new SenderAttack().start({ manifest: { ...manifest, entries } });
    attack.check(0, 3);
    await attack.settle();
    return attack;
  };
  // The file is shorter than that by now, which only a look at it shows.
  assert.deepEqual((await run(MAX_CHECK_GROUPS * MIB)).ends, [[0, "changed", 0]]);
  const attack = await run(MAX_CHECK_GROUPS * MIB + 1);
  assert.equal(attack.peer.wireCode, wireOf("limit_exceeded"));
  await assert.rejects(attack.sender.forth.half.finished, { code: "limit_exceeded" });
});

Deno.test("Sender bounds unanswered requests of both kinds together [XFER-7]", async () => {
  const attack = new SenderAttack();
  // The first one that is read holds up the others.
  attack.storage.openSource = () => new Promise(() => {});
  await attack.start();
  attack.check(0, 1);
  attack.get(1, ...Array.from({ length: MAX_OPEN_REQUESTS - 2 }, () => all(1)));
  attack.check(MAX_OPEN_REQUESTS - 1, 2);
  await attack.settle();
  assert.equal(attack.peer.end, undefined);
  attack.check(MAX_OPEN_REQUESTS, 3);
  await attack.settle();
  assert.equal(attack.peer.wireCode, wireOf("limit_exceeded"));
});

Deno.test("Sender takes no CHECK before the client was let in [XFER-4]", async () => {
  const attack = await new SenderAttack().start({ admit: () => new Promise(() => {}) });
  attack.check(0, 3);
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender stops hashing a file that is given up [XFER-14] [XFER-17]", async () => {
  const attack = await new SenderAttack().start();
  const reads: [string, number][] = [];
  attack.storage.onRead = (path, offset) => {
    reads.push([path, offset / MIB]);
    if (path === BIG && offset === MIB) attack.cancel(0, 1);
  };
  attack.check(0, 1, 3, 2);
  await attack.settle();
  assert.deepEqual(attack.ends, [[0, "cancelled", 0], [1, "cancelled", 0], [2, "hashed", 0]]);
  assert.ok(attack.peer.of("nodes").length < 4);
  assert.ok(reads.every(([path]) => path !== SMALL));
  assert.equal(attack.storage.openFiles, 0);
});

/** What may happen to a file, and what is said of it then. */
const TROUBLES: [string, string, (attack: SenderAttack, path: string) => void][] = [
  ["shrinks", "changed", ({ storage }, path) => {
    const node = storage.get(path)!;
    node.bytes = node.bytes.subarray(0, node.bytes.length - 1);
  }],
  ["grows", "changed", ({ storage }, path) => {
    const node = storage.get(path)!;
    const longer = new Uint8Array(node.bytes.length + 1);
    longer.set(node.bytes);
    node.bytes = longer;
  }],
  ["is written to", "changed", ({ storage }, path) => {
    storage.get(path)!.mtimeMs++;
  }],
  ["cannot be read", "unreadable", ({ storage }, path) => {
    storage.unreadable.add(path);
  }],
];

Deno.test("Sender names a file that changes or cannot be read in the middle, and goes on [XFER-13]", async () => {
  for (const kind of ["get", "check"] as const) {
    for (const [path, offset] of [[BIG, 0], [BIG, MIB], [BIG, 3 * MIB], [SMALL, 0]] as const) {
      for (const [what, status, trouble] of TROUBLES) {
        const attack = await new SenderAttack().start();
        attack.storage.onRead = (read, at) => {
          if (read === path && at === offset) trouble(attack, path);
        };
        const [first, second] = path === BIG ? [1, 3] : [3, 1];
        if (kind === "get") attack.get(0, all(first), all(second));
        else attack.check(0, first, second);
        await attack.settle();
        const context = `${kind} ${path} ${what} at ${offset}`;
        assert.deepEqual(attack.ends.map(([, status]) => status), [
          status,
          kind === "get" ? "whole" : "hashed",
        ], context);
        // Exactly that much came, and all of it is what the file was.
        const sent = attack.bytesOf(0);
        assert.equal(attack.ends[0]![2], sent.length, context);
        const before = path === BIG ? attack.big : new TextEncoder().encode("small");
        assert.deepEqual(sent, before.subarray(0, sent.length), context);
        assert.deepEqual(
          attack.warnings,
          [`${status === "changed" ? "source_changed" : status} ${path.slice(1)}`],
          context,
        );
        assert.equal(attack.storage.openFiles, 0, context);
      }
    }
  }
});

Deno.test("Sender names a file that is gone or another one when it is asked for [XFER-13]", async () => {
  const troubles: [string, (attack: SenderAttack, path: string) => void][] = [
    ["unreadable", ({ storage }, path) => storage.delete(path)],
    ["changed", ({ storage }, path) => {
      storage.delete(path);
      storage.addFolder(path);
    }],
    ["changed", ({ storage }, path) => storage.addFile(path, "something else")],
  ];
  for (const [status, trouble] of troubles) {
    for (const kind of ["get", "check"] as const) {
      const attack = await new SenderAttack().start();
      trouble(attack, BIG);
      trouble(attack, SMALL);
      if (kind === "get") attack.get(0, all(1), all(3), all(2));
      else attack.check(0, 1, 3, 2);
      await attack.settle();
      const end = kind === "get" ? "whole" : "hashed";
      assert.deepEqual(attack.ends, [[0, status, 0], [1, status, 0], [2, end, 0]]);
      assert.deepEqual(attack.peer.blocks, []);
      const code = status === "changed" ? "source_changed" : status;
      assert.deepEqual(attack.warnings, [`${code} share/big`, `${code} share/small`]);
    }
  }
});

Deno.test("Sender names a file that cannot be looked at any more when it was read [XFER-13]", async () => {
  const attack = await new SenderAttack().start();
  const { storage } = attack;
  const open = storage.openSource.bind(storage);
  storage.openSource = async (path) => ({
    ...await open(path),
    inspect: () => Promise.reject(new StorageError("other", `Cannot look at ${path}`)),
  });
  attack.get(0, all(1));
  attack.check(1, 1);
  await attack.settle();
  assert.deepEqual(
    new Map(attack.ends.map(([request, status]) => [request, status])),
    new Map([[0, "unreadable"], [1, "unreadable"]]),
  );
  assert.deepEqual(attack.warnings, ["unreadable share/big"]);
});

Deno.test("Sender counts a file that was hashed in the receipt, unless it failed or was given up [XFER-15]", async () => {
  const run = async (counts: boolean, act: (attack: SenderAttack) => void | Promise<void>) => {
    const attack = await new SenderAttack().start();
    attack.check(0, 1);
    await attack.settle();
    await act(attack);
    await attack.settle();
    const tree = new ShareTree(nodeProvider, attack.manifest.entries);
    if (counts) tree.setRoot(1, attack.peer.of("root")[0]!.root);
    attack.peer.say({ type: "receipt", root: tree.root(), items: 1, bytes: 0, leftOut: 3 });
    return await attack.outcome();
  };
  const part = { entry: 1, ranges: [{ offset: MIB, length: MIB }] };
  const nothing = () => {};
  const touch = ({ storage }: SenderAttack) => void storage.get(BIG)!.mtimeMs++;
  assert.equal(await run(true, nothing), "ok");
  assert.equal(await run(false, nothing), "integrity");
  assert.equal(await run(true, (attack) => attack.get(1, part)), "ok");
  for (const counts of [false, true]) {
    const expected = counts ? "integrity" : "ok";
    assert.equal(await run(counts, (attack) => attack.cancel(0)), expected);
    assert.equal(
      await run(counts, (attack) => {
        touch(attack);
        attack.get(1, part);
      }),
      expected,
    );
    // Later words do not bring it back.
    assert.equal(
      await run(counts, async (attack) => {
        attack.cancel(0);
        attack.get(1, all(1));
        await attack.settle();
        assert.equal(attack.ends.at(-1)![1], "whole");
      }),
      expected,
    );
  }
});

Deno.test("Sender refuses a receipt while a CHECK is not answered [XFER-15]", async () => {
  const attack = await new SenderAttack().start();
  attack.check(0, 1);
  const root = new ShareTree(nodeProvider, attack.manifest.entries).root();
  attack.peer.say({ type: "receipt", root, items: 0, bytes: 0, leftOut: 0 });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Sender answers thousands of CHECKs in few writes, whatever the storage takes", async () => {
  const FILES = 5000;
  for (const answersAtOnce of [true, false]) {
    const attack = new SenderAttack();
    for (let index = 0; index < FILES; index++) attack.storage.addFile(`/share/x/${index}`, "x");
    attack.storage.answersAtOnce = answersAtOnce;
    await attack.start();
    const first = attack.manifest.entries.length - FILES;
    attack.check(0, ...Array.from({ length: FILES }, (_, index) => first + index));
    await attack.settle();
    assert.equal(attack.ends.length, FILES);
    assert.ok(
      attack.ends.every(([request, status], index) => request === index && status === "hashed"),
    );
    assert.ok(attack.link.left.controlWrites < FILES / ROOTS_PER_WRITE + 100);
    if (!answersAtOnce) assert.ok(attack.storage.peakOpenFiles > 4);
  }
});

Deno.test("Sender lets neither GET nor CHECK take all room for answers [XFER-18]", async () => {
  const FILES = 20_000;
  const attack = new SenderAttack();
  for (let index = 0; index < FILES; index++) attack.storage.addFile(`/share/x/${index}`, "x");
  attack.storage.answersAtOnce = true;
  await attack.start();
  const first = attack.manifest.entries.length - FILES;
  const entries = Array.from({ length: FILES }, (_, index) => first + index);
  attack.get(0, ...entries.map(all));
  attack.check(FILES, ...entries);
  await attack.settle();
  assert.equal(attack.ends.length, 2 * FILES);
  const half = attack.ends.slice(0, FILES).filter(([, status]) => status === "hashed").length;
  assert.ok(half > FILES / 4 && half < FILES * 3 / 4, `${half} of the first ${FILES} are hashes`);
});

Deno.test("Sender pauses hashing while a client does not take the answers", async () => {
  const FILES = 20_000;
  const attack = new SenderAttack();
  for (let index = 0; index < FILES; index++) attack.storage.addFile(`/share/x/${index}`, "x");
  attack.storage.answersAtOnce = true;
  await attack.start();
  const { left, right } = attack.link;
  const first = attack.manifest.entries.length - FILES;
  attack.check(0, ...Array.from({ length: FILES }, (_, index) => first + index));
  // One way only.
  for (let turn = 0; turn < 200_000 && right.isBusy; turn++) {
    right.deliver();
    await null;
  }
  assert.ok(!right.isBusy);
  for (let turn = 0; turn < 50_000; turn++) await null;
  assert.ok(left.controlQueuedBytes >= CONTROL_QUEUE_BYTES / 2);
  assert.ok(left.controlQueuedBytes < CONTROL_QUEUE_BYTES + 4096);
  await attack.settle();
  assert.equal(attack.ends.length, FILES);
});
