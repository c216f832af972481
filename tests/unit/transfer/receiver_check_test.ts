/**
 * Goal: no answer to a CHECK, and no end of a stream, however odd, makes a receiver take wrong bytes,
 * hang, or drop what it has without need.
 * Method: a real receiver with something of a file here, against a peer that says what the test
 * tells it to.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { hashGroup, TreeHasher } from "../../../lib/transfer/hash_tree.ts";
import { encodeJournal } from "../../../lib/transfer/receiving/journal.ts";
import { GROUP_BYTES as MIB } from "../../../lib/transfer/limits.ts";
import type { Message, Root, RootStatus } from "../../../lib/transfer/messages.ts";
import { ownNamesOf } from "../../../lib/transfer/own_names.ts";
import {
  ClientExchange,
  type ClientExchangeOptions,
} from "../../../lib/transfer/client_exchange.ts";
import type { PartFile, TargetFile } from "../../../lib/storage/storage.ts";
import type { TransferNotice } from "../../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { MemoryLink } from "../../support/memory_channel.ts";
import { Prng } from "../../support/prng.ts";
import { RawPeer, wireOf } from "../../support/raw_peer.ts";
import { reportEnd } from "../../support/transfer_pair.ts";

const OWN = ownNamesOf(nodeProvider, "a");
const PART = `/into/${OWN.part}`;
const JOURNAL = `/into/${OWN.journal}`;
const HELLO: Message = { type: "hello", version: 1, features: 0, text: "" };

function file(sizeBytes: number, details: Partial<ManifestEntry> = {}): ManifestEntry {
  return { kind: "file", path: "a", sizeBytes, mtimeMs: 1000, executable: false, ...details };
}

/** A receiver, and a sharer in the hands of a test that offers one entry. */
class Scene {
  readonly storage: FakeStorage;
  readonly link = new MemoryLink(1, { creditBytes: 64 * MIB });
  readonly peer = new RawPeer(this.link.left);
  readonly notices: TransferNotice[] = [];
  readonly receiver: ClientExchange;

  constructor(
    entry: ManifestEntry,
    {
      storage = new FakeStorage(),
      onMessage,
      receiver = {},
    }: {
      readonly storage?: FakeStorage;
      readonly onMessage: (message: Message, scene: Scene) => void;
      readonly receiver?: Partial<ClientExchangeOptions>;
    },
  ) {
    this.storage = storage;
    this.receiver = new ClientExchange({
      channel: this.link.right,
      storage,
      crypto: nodeProvider,
      directory: "/into",
      decide: () => Promise.resolve({ accept: true, overwrite: "always" }),
      onEvent: (notice) => this.notices.push(notice),
      ...receiver,
    });
    this.link.right.handler = this.receiver;
    reportEnd(this.link.right, this.receiver);
    this.receiver.start();
    const bytes = entry.sizeBytes;
    this.peer.say(
      HELLO,
      { type: "offer", entries: 1, files: 1, directories: 0, links: 0, bytes },
      { type: "entries", first: 0, entries: [entry] },
    );
    this.peer.onMessage = (message) => {
      if (message.type === "receipt") this.peer.say({ type: "bye" });
      else onMessage(message, this);
    };
  }

  /** Runs to the end; gives the error's code, or `"ok"`. */
  async outcome(): Promise<string> {
    await this.link.run(this.receiver.forth.half.finished);
    assert.equal(this.storage.openFiles, 0);
    try {
      await this.receiver.forth.half.finished;
      assert.equal(this.link.right.consumedBytes, this.link.right.acceptedBytes);
      return "ok";
    } catch (error) {
      assert.ok(error instanceof TransferError, String(error));
      if (error.code === "internal") throw error.cause;
      return error.code;
    }
  }
}

function groupOf(bytes: Uint8Array, group: number): Uint8Array<ArrayBuffer> {
  return bytes.slice(group * MIB, (group + 1) * MIB);
}

function hashes(bytes: Uint8Array, first = 0, end = Math.ceil(bytes.length / MIB)): Uint8Array {
  const all = new Uint8Array((end - first) * 32);
  for (let group = first; group < end; group++) {
    all.set(hashGroup(nodeProvider, groupOf(bytes, group)), (group - first) * 32);
  }
  return all;
}

function nodes(request: number, bytes: Uint8Array, first?: number, end?: number): Message {
  return { type: "nodes", request, firstGroup: first ?? 0, hashes: hashes(bytes, first, end) };
}

function root(request: number, status: RootStatus, bytes: Uint8Array, sentBytes = 0): Root {
  const tree = new TreeHasher(nodeProvider);
  for (let group = 0; group * MIB < bytes.length; group++) {
    tree.push(hashGroup(nodeProvider, groupOf(bytes, group)));
  }
  const hasRoot = status === "whole" || status === "hashed";
  return {
    type: "root",
    request,
    status,
    root: hasRoot ? tree.root() : new Uint8Array(0),
    sentBytes,
  };
}

const BYTES = new Prng(1).bytes(4 * MIB + 100);

/** The first two groups of the file are here, of an earlier run. */
function partlyHere(): FakeStorage {
  const storage = new FakeStorage();
  const journal = { sizeBytes: BYTES.length, groups: [0, 2] };
  storage.addFile(PART, BYTES.slice(0, 2 * MIB));
  storage.addFile(JOURNAL, encodeJournal(nodeProvider, journal));
  return storage;
}

/** Answers the CHECK, which is the first request, and lets the GET wait. */
function answering(...answers: Message[]): (message: Message, scene: Scene) => void {
  return (message, { peer }) => {
    if (message.type === "check") peer.say(...answers);
  };
}

Deno.test("Receiver asks for hashes and at once for what is surely missing [XFER-17]", async () => {
  const scene = new Scene(file(BYTES.length), {
    storage: partlyHere(),
    onMessage: (message, { peer }) => {
      if (message.type !== "get") return;
      // Both were asked for before anything was answered.
      assert.deepEqual(peer.of("check"), [{ type: "check", firstRequest: 0, entries: [0] }]);
      const ranges = [{ offset: 2 * MIB, length: 2 * MIB + 100 }];
      assert.deepEqual(message, { type: "get", firstRequest: 1, items: [{ entry: 0, ranges }] });
      peer.say(nodes(1, BYTES, 2), root(1, "ranges", BYTES));
      for (let group = 2; group < 5; group++) peer.block(1, group * MIB, groupOf(BYTES, group));
      peer.say(nodes(0, BYTES, 0, 1), nodes(0, BYTES, 1, 5), root(0, "hashed", BYTES));
    },
  });
  assert.equal(await scene.outcome(), "ok");
  assert.equal(Buffer.compare(scene.storage.get("/into/a")!.bytes, BYTES), 0);
  const { bytesDone, bytesTotal, keptBytes } = scene.receiver.forth.progress;
  assert.deepEqual([bytesDone, bytesTotal, keptBytes], [BYTES.length, BYTES.length, 2 * MIB]);
  const resumed = { event: "resumed", files: 1, bytes: 2 * MIB };
  assert.deepEqual(scene.notices.find(({ event }) => event === "resumed"), resumed);
});

Deno.test("Receiver refuses answers to a CHECK that are none, and keeps what it has [XFER-17]", async () => {
  const whole = nodes(0, BYTES);
  const cases: Message[][] = [
    [nodes(0, BYTES, 1)],
    [nodes(0, BYTES, 0, 2), nodes(0, BYTES, 0, 1)],
    [nodes(0, BYTES, 0, 2), nodes(0, BYTES, 3)],
    [{ ...whole, hashes: new Uint8Array(32 * 6) } as Message],
    [{ ...whole, firstGroup: 2 ** 52 } as Message],
    [nodes(0, BYTES, 0, 4), root(0, "hashed", BYTES)],
    [root(0, "hashed", BYTES)],
    [whole, root(0, "whole", BYTES)],
    [whole, root(0, "ranges", BYTES)],
    [root(0, "cancelled", BYTES)],
    [root(0, "changed", BYTES, 5)],
    [whole, root(0, "hashed", BYTES), root(0, "hashed", BYTES)],
    [whole, root(0, "hashed", BYTES), nodes(0, BYTES)],
  ];
  for (const answers of cases) {
    const scene = new Scene(file(BYTES.length), {
      storage: partlyHere(),
      onMessage: answering(...answers),
    });
    assert.equal(await scene.outcome(), "protocol_violation");
    assert.equal(scene.peer.wireCode, wireOf("protocol_violation"));
    assert.equal(scene.storage.get("/into/a"), undefined);
    assert.ok(scene.storage.get(PART) && scene.storage.get(JOURNAL));
  }
});

Deno.test("Receiver takes no blocks for a CHECK, and no hashes for a GET that ask for none [XFER-9]", async () => {
  const block = new Scene(file(BYTES.length), {
    storage: partlyHere(),
    onMessage: (message, { peer }) => {
      if (message.type === "check") peer.block(0, 0, new Uint8Array(1));
    },
  });
  assert.equal(await block.outcome(), "protocol_violation");
  const over = new Scene(file(BYTES.length), {
    storage: partlyHere(),
    onMessage: (message, { peer }) => {
      if (message.type !== "check") return;
      peer.say(nodes(0, BYTES), root(0, "hashed", BYTES));
      peer.block(0, 0, new Uint8Array(1));
    },
  });
  assert.equal(await over.outcome(), "protocol_violation");
  const hashed = new Scene(file(BYTES.length), {
    storage: partlyHere(),
    onMessage: (message, { peer }) => {
      if (message.type === "get") peer.say(root(1, "hashed", BYTES));
    },
  });
  assert.equal(await hashed.outcome(), "protocol_violation");
});

Deno.test("Receiver drops a file whose hashes do not make its root, and only that [XFER-12]", async () => {
  const other = BYTES.slice();
  other[3 * MIB]! ^= 1;
  for (const lie of [nodes(0, other), nodes(0, BYTES)]) {
    const scene = new Scene(file(BYTES.length), {
      storage: partlyHere(),
      onMessage: (message, { peer }) => {
        if (message.type !== "get") return;
        // Either the hashes of the CHECK are wrong, or those of the GET are.
        const got = lie === undefined ? BYTES : other;
        for (let group = 2; group < 5; group++) peer.block(1, group * MIB, groupOf(got, group));
        peer.say(nodes(1, got, 2), root(1, "ranges", got), lie, root(0, "hashed", BYTES));
      },
    });
    assert.equal(await scene.outcome(), "integrity");
    assert.deepEqual(scene.storage.paths("/into"), []);
  }
});

Deno.test("Receiver gives a file up that cannot be hashed, with all its requests [XFER-13] [XFER-14]", async () => {
  for (const status of ["changed", "unreadable"] as const) {
    const scene = new Scene(file(BYTES.length), {
      storage: partlyHere(),
      onMessage: (message, { peer }) => {
        if (message.type === "check") {
          peer.say(nodes(0, BYTES, 0, 1), root(0, status, BYTES));
        } else if (message.type === "cancel" && message.request === 1) {
          peer.say(root(1, "cancelled", BYTES, 7));
          peer.block(1, 2 * MIB, new Uint8Array(7));
        }
      },
    });
    assert.equal(await scene.outcome(), status === "changed" ? "ok" : "read_failed");
    assert.ok(scene.storage.get(PART) && scene.storage.get(JOURNAL));
    assert.equal(scene.storage.get("/into/a"), undefined);
  }
});

// ---- streams ----

const STREAM = file(0, { kind: "stream" });

/** Answers the GET of a stream. */
function streaming(
  bytes: Uint8Array,
  answer: (scene: Scene) => void,
): (message: Message, scene: Scene) => void {
  return (message, scene) => {
    if (message.type !== "get") return;
    assert.deepEqual(message.items, [{ entry: 0, ranges: [] }]);
    for (let group = 0; group * MIB < bytes.length; group++) {
      scene.peer.block(0, group * MIB, groupOf(bytes, group));
    }
    answer(scene);
  };
}

for (const length of [0, 1, 70_000, MIB - 1, MIB, MIB + 1, 3 * MIB, 3 * MIB + 65_537]) {
  for (const isEndFirst of [true, false]) {
    const order = isEndFirst ? "before" : "after";
    Deno.test(`Receiver takes a stream of ${length} bytes whose end comes ${order} them [XFER-19]`, async () => {
      const bytes = new Prng(length).bytes(length);
      const fullGroups = Math.floor(length / MIB);
      const says: Message[] = fullGroups > 0 ? [nodes(0, bytes)] : [];
      says.push(root(0, "whole", bytes, length));
      const scene = new Scene(STREAM, {
        onMessage: streaming(isEndFirst ? new Uint8Array(0) : bytes, ({ peer }) => {
          peer.say(...says);
          if (!isEndFirst) return;
          for (let group = fullGroups; group >= 0; group--) {
            const part = groupOf(bytes, group);
            if (part.length > 0) peer.block(0, group * MIB, part);
          }
        }),
      });
      assert.equal(await scene.outcome(), "ok");
      assert.equal(Buffer.compare(scene.storage.get("/into/a")!.bytes, bytes), 0);
      assert.equal((await scene.receiver.forth.half.finished).bytes, length);
      const { bytesDone, bytesTotal } = scene.receiver.forth.progress;
      assert.deepEqual([bytesDone, bytesTotal], [length, length]);
      assert.deepEqual(scene.storage.paths("/into"), ["/into/a"]);
    });
  }
}

/** What the end of a stream says. */
function lengthOf(answers: readonly Message[]): number {
  return (answers.at(-1) as Root).sentBytes;
}

Deno.test("Receiver refuses ends of a stream that do not fit what came [XFER-19]", async () => {
  const bytes = new Prng(2).bytes(2 * MIB + 10);
  const cases: [Message[], string][] = [
    [[nodes(0, bytes), root(0, "whole", bytes, 2 * MIB + 9)], "protocol_violation"],
    [[nodes(0, bytes), root(0, "whole", bytes, MIB)], "protocol_violation"],
    [[nodes(0, bytes), root(0, "ranges", bytes)], "protocol_violation"],
    [[nodes(0, bytes, 0, 2), root(0, "whole", bytes, bytes.length)], "protocol_violation"],
    [[nodes(0, bytes), root(0, "whole", bytes.slice(1), bytes.length)], "integrity"],
    [[nodes(0, bytes, 0, 1), root(0, "whole", bytes, MIB)], "integrity"],
  ];
  for (const [answers, code] of cases) {
    const scene = new Scene(STREAM, {
      onMessage: streaming(code === "integrity" ? bytes.slice(0, lengthOf(answers)) : bytes, (
        { peer },
      ) => peer.say(...answers)),
    });
    assert.equal(await scene.outcome(), code);
    assert.deepEqual(scene.storage.paths("/into"), []);
  }
});

Deno.test("Receiver asks for no part of a stream again: its bytes are gone [XFER-12] [XFER-19]", async () => {
  const bytes = new Prng(2).bytes(2 * MIB);
  const wrong = bytes.slice();
  wrong[MIB]! ^= 1;
  const scene = new Scene(STREAM, {
    onMessage: streaming(wrong, ({ peer }) => {
      peer.say(nodes(0, bytes), root(0, "whole", bytes, bytes.length));
    }),
  });
  assert.equal(await scene.outcome(), "integrity");
  assert.equal(scene.peer.of("get").length, 1);
  assert.deepEqual(scene.storage.paths("/into"), []);
});

// ---- groups in order ----

/** A storage whose part files take groups in order only, as a pipe does. */
class PipeStorage extends FakeStorage {
  override async createPart(target: TargetFile): Promise<PartFile> {
    const part = await super.createPart(target);
    return Object.assign(part, { isOrdered: true });
  }
}

for (const badGroup of [0, 1, 3]) {
  for (const isBadFirst of [true, false]) {
    const order = isBadFirst ? "first" : "last";
    Deno.test(`Receiver does not wait for ever for a wrong group ${badGroup} that came ${order}, where groups are written in order [XFER-12]`, async () => {
      const bytes = new Prng(4).bytes(4 * MIB);
      const wrong = groupOf(bytes, badGroup);
      wrong[0]! ^= 1;
      const scene = new Scene(file(bytes.length), {
        storage: new PipeStorage(),
        onMessage: (message, { peer }) => {
          if (message.type !== "get" || message.firstRequest !== 0) return;
          const send = () => {
            peer.say(nodes(0, bytes, badGroup, badGroup + 1));
            peer.block(0, badGroup * MIB, wrong);
          };
          if (isBadFirst) send();
          for (let group = 0; group < 4; group++) {
            if (group === badGroup) continue;
            peer.say(nodes(0, bytes, group, group + 1));
            peer.block(0, group * MIB, groupOf(bytes, group));
          }
          if (!isBadFirst) send();
        },
      });
      const hasLaterGroups = badGroup < 3;
      if (!hasLaterGroups) {
        const onMessage = scene.peer.onMessage;
        scene.peer.onMessage = (message) => {
          onMessage(message);
          if (message.type !== "get" || message.firstRequest !== 1) return;
          scene.peer.say(
            nodes(1, bytes, badGroup),
            root(1, "ranges", bytes),
            root(0, "whole", bytes),
          );
          scene.peer.block(1, badGroup * MIB, groupOf(bytes, badGroup));
        };
      }
      assert.equal(await scene.outcome(), hasLaterGroups ? "integrity" : "ok");
      assert.equal(scene.storage.get("/into/a") !== undefined, !hasLaterGroups);
    });
  }
}

// ---- texts ----

Deno.test("Receiver hands out a text that is to be read, and stores it where that is wanted", async () => {
  const text = "first line\nsecond, with ünïcödé\n";
  const bytes = new TextEncoder().encode(text);
  const onMessage = (message: Message, { peer }: Scene): void => {
    if (message.type !== "get") return;
    peer.block(0, 0, bytes);
    peer.say(root(0, "whole", bytes));
  };
  const shown = new Scene(file(bytes.length, { isText: true }), {
    onMessage,
    receiver: { showsTexts: true },
  });
  assert.equal(await shown.outcome(), "ok");
  assert.deepEqual(shown.notices.filter(({ event }) => event === "text"), [
    { event: "text", path: "a", text },
  ]);
  assert.equal(shown.storage.get("/into/a"), undefined);
  assert.deepEqual([
    (await shown.receiver.forth.half.finished).items,
    shown.receiver.forth.progress.itemsDone,
  ], [
    1,
    1,
  ]);
  const stored = new Scene(file(bytes.length, { isText: true }), { onMessage });
  assert.equal(await stored.outcome(), "ok");
  assert.deepEqual(stored.storage.get("/into/a")!.bytes, bytes);
});

Deno.test("Receiver hands out an empty text", async () => {
  const scene = new Scene(file(0, { isText: true }), {
    onMessage: (message, { peer }) => {
      if (message.type === "get") peer.say(root(0, "whole", new Uint8Array(0)));
    },
    receiver: { showsTexts: true },
  });
  assert.equal(await scene.outcome(), "ok");
  assert.ok(scene.notices.some((notice) => notice.event === "text" && notice.text === ""));
});
