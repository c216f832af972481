/**
 * Goal: no sharer, however evil, makes a receiver write what it should not, hang, or take too much.
 * Method: a real receiver against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { hashGroup, TreeHasher } from "../../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES, MAX_EARLY_HASHES, MAX_ENTRIES } from "../../../lib/transfer/limits.ts";
import type { Message } from "../../../lib/transfer/messages.ts";
import {
  ClientExchange,
  type ClientExchangeOptions,
} from "../../../lib/transfer/client_exchange.ts";
import type { TransferNotice } from "../../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { MemoryLink } from "../../support/memory_channel.ts";
import { Prng } from "../../support/prng.ts";
import { RawPeer, wireOf } from "../../support/raw_peer.ts";
import { reportEnd } from "../../support/transfer_pair.ts";

const MIB = GROUP_BYTES;
const HELLO: Message = { type: "hello", version: 1, features: 0, text: "" };

function file(path: string, sizeBytes: number): ManifestEntry {
  return { kind: "file", path, sizeBytes, mtimeMs: 1000, executable: false };
}

/** A receiver and an evil sharer. */
class Attack {
  readonly storage = new FakeStorage();
  readonly link = new MemoryLink(1, { creditBytes: 1024 * MIB });
  readonly peer = new RawPeer(this.link.left);
  readonly notices: TransferNotice[] = [];
  readonly receiver: ClientExchange;

  constructor(options: Partial<ClientExchangeOptions> = {}) {
    this.receiver = new ClientExchange({
      channel: this.link.right,
      storage: this.storage,
      crypto: nodeProvider,
      directory: "/into",
      decide: () => Promise.resolve({ accept: true }),
      onEvent: (notice) => this.notices.push(notice),
      ...options,
    });
    this.link.right.handler = this.receiver;
    reportEnd(this.link.right, this.receiver);
    this.receiver.start();
  }

  /** Offers entries, and answers the first GET by calling `onGet`. */
  offer(entries: readonly ManifestEntry[], onGet: () => void = () => {}): void {
    const files = entries.filter(({ kind }) => kind === "file").length;
    const bytes = entries.reduce((sum, entry) => sum + entry.sizeBytes, 0);
    const directories = entries.length - files;
    const offer = { files, directories, links: 0, bytes };
    this.peer.say(HELLO, { type: "offer", entries: entries.length, ...offer });
    if (entries.length > 0) this.peer.say({ type: "entries", first: 0, entries });
    let isFirst = true;
    this.peer.onMessage = (message) => {
      if (message.type !== "get" || !isFirst) return;
      isFirst = false;
      onGet();
    };
  }

  /** Runs to the end; gives the error's code, or `"ok"`. */
  async outcome(): Promise<string> {
    await this.link.run(this.receiver.forth.half.finished);
    assert.equal(this.storage.openFiles, 0);
    assert.deepEqual(this.storage.paths("/").filter((path) => path.endsWith(".part")), []);
    try {
      await this.receiver.forth.half.finished;
      return "ok";
    } catch (error) {
      assert.ok(error instanceof TransferError, String(error));
      if (error.code === "internal") throw error.cause;
      return error.code;
    }
  }
}

function whole(request: number, bytes: Uint8Array): Message {
  const tree = new TreeHasher(nodeProvider);
  for (let at = 0; at < bytes.length; at += MIB) {
    tree.push(hashGroup(nodeProvider, bytes.subarray(at, at + MIB)));
  }
  return { type: "root", request, status: "whole", root: tree.root(), sentBytes: 0 };
}

function nodes(request: number, bytes: Uint8Array, group: number): Message {
  const hashes = hashGroup(nodeProvider, bytes.subarray(group * MIB, (group + 1) * MIB));
  return { type: "nodes", request, firstGroup: group, hashes };
}

Deno.test("Receiver refuses messages that are not the sharer's turn [XFER-2]", async () => {
  const sequences: Message[][] = [
    [{ type: "pending", reason: "admission" }],
    [{ type: "offer", entries: 0, files: 0, directories: 0, links: 0, bytes: 0 }],
    [HELLO, HELLO],
    [HELLO, { type: "entries", first: 0, entries: [file("a", 1)] }],
    [HELLO, { type: "verify_commit", commitment: new Uint8Array(32) }],
    [HELLO, { type: "verify_nonce", nonce: new Uint8Array(32) }],
    [HELLO, { type: "bye" }],
    [HELLO, { type: "list", first: 0 }],
    [HELLO, { type: "get", firstRequest: 0, items: [{ entry: 0, ranges: [] }] }],
    [HELLO, { type: "cancel", request: 0 }],
    [HELLO, { type: "receipt", root: new Uint8Array(32), items: 0, bytes: 0, leftOut: 0 }],
    [HELLO, { type: "nodes", request: 0, firstGroup: 0, hashes: new Uint8Array(32) }],
    [HELLO, whole(0, new Uint8Array(0))],
  ];
  for (const sequence of sequences) {
    const attack = new Attack();
    attack.peer.say(...sequence);
    assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(sequence));
    assert.equal(attack.peer.wireCode, wireOf("protocol_violation"));
  }
});

Deno.test("Receiver refuses malformed and unknown messages but skips ignorable ones [XFER-2]", async () => {
  for (
    const bytes of [[0x04, 0], [0x04, 1, 2], [0x04, 2, 0, 0], [0x3f, 0], [0x80, 0], [0, 0], [
      0x05,
      1,
      0xff,
    ]]
  ) {
    const attack = new Attack();
    attack.peer.say(HELLO);
    attack.peer.sayBytes(...bytes);
    assert.equal(await attack.outcome(), "protocol_violation", String(bytes));
  }
  const attack = new Attack();
  attack.peer.sayBytes(0x40, 3, 1, 2, 3);
  attack.peer.say(HELLO);
  attack.peer.sayBytes(0x7f, 0);
  attack.peer.say({ type: "bye" });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Receiver refuses a message that is too long [XFER-1]", async () => {
  const attack = new Attack();
  attack.peer.sayBytes(0x40, 0x80, 0x04, 0x00, 0x01);
  assert.equal(await attack.outcome(), "limit_exceeded");
  assert.equal(attack.peer.wireCode, wireOf("limit_exceeded"));
});

Deno.test("Receiver names both versions when they differ [XFER-3]", async () => {
  const attack = new Attack();
  attack.peer.say({ ...HELLO, version: 9 } as Message);
  assert.equal(await attack.outcome(), "version_mismatch");
  assert.match(attack.peer.end!.reason, /version 1.*9/);
});

Deno.test("Receiver refuses lists that are not what was offered [XFER-6]", async () => {
  const offer = (entries: number, files: number, directories: number, bytes: number): Message => ({
    type: "offer",
    entries,
    files,
    directories,
    links: 0,
    bytes,
  });
  const page = (first: number, ...entries: ManifestEntry[]): Message => ({
    type: "entries",
    first,
    entries,
  });
  const cases: [string, Message[]][] = [
    ["limit_exceeded", [offer(MAX_ENTRIES + 1, MAX_ENTRIES + 1, 0, 0)]],
    ["protocol_violation", [offer(2, 1, 0, 0)]],
    ["protocol_violation", [offer(2, 2, 0, 2), page(1, file("a", 1))]],
    ["protocol_violation", [offer(1, 1, 0, 1), page(0, file("a", 1), file("b", 1))]],
    ["protocol_violation", [offer(1, 1, 0, 1), page(0, file("a", 2))]],
    ["protocol_violation", [offer(2, 1, 1, 2), page(0, file("a", 1), file("b", 1))]],
    ["protocol_violation", [offer(1, 1, 0, 1), page(0)]],
    ["limit_exceeded", [
      offer(2, 2, 0, Number.MAX_SAFE_INTEGER),
      page(0, file("a", Number.MAX_SAFE_INTEGER), file("b", 10)),
    ]],
  ];
  for (const [code, messages] of cases) {
    const attack = new Attack();
    attack.peer.say(HELLO, ...messages);
    assert.equal(await attack.outcome(), code, JSON.stringify(messages));
  }
});

Deno.test("Receiver refuses a list whose paths are endless [XFER-6]", async () => {
  // Counted in bytes, whatever a character takes.
  for (const path of ["x".repeat(16_000), "名".repeat(5_333)]) {
    const attack = new Attack();
    const entries = 1_000_000;
    const offer = { files: 0, directories: entries, links: 0, bytes: 0 };
    attack.peer.say(HELLO, { type: "offer", entries, ...offer });
    const page = Array.from({ length: 5000 }, (): ManifestEntry => ({
      ...file(path, 0),
      kind: "directory",
    }));
    for (let first = 0; first < 20_000; first += 5000) {
      attack.peer.say({ type: "entries", first, entries: page });
    }
    assert.equal(await attack.outcome(), "limit_exceeded");
  }
});

Deno.test("Receiver writes no hostile name and goes on with the rest [NAME-1]", async () => {
  const names = [
    "../escape",
    "/absolute",
    "a/../../escape",
    "\x1b[2Jevil",
    ".p2pft-0123456789abcdef.part",
    "fine",
  ];
  const attack = new Attack();
  attack.offer(names.map((name) => file(name, 4)), () => {
    const [get] = attack.peer.of("get");
    assert.deepEqual(get!.items, [{ entry: 5, ranges: [] }]);
    attack.peer.block(0, 0, new Uint8Array(4));
    attack.peer.say(whole(0, new Uint8Array(4)));
  });
  attack.peer.onMessage = ((onGet) => (message: Message) => {
    onGet(message);
    if (message.type === "receipt") attack.peer.say({ type: "bye" });
  })(attack.peer.onMessage);
  assert.equal(await attack.outcome(), "ok");
  assert.deepEqual(attack.storage.paths("/"), ["/into", "/into/fine"]);
  const refused = attack.notices.filter((notice) =>
    notice.event === "warning" && notice.code === "unsafe_name"
  );
  assert.equal(refused.length, 5);
  assert.equal((await attack.receiver.forth.half.finished).exit, 12);
  assert.equal((await attack.receiver.forth.half.finished).leftOut, 5);
});

Deno.test("Receiver closes on blocks nobody asked for [XFER-9]", async () => {
  const blocks: [number, number, number][] = [
    [1, 0, 10], // a request that was never made
    [0, 95, 10], // across the end
    [0, 100, 1],
    [0, MIB * 5, 10],
  ];
  for (const [request, offset, length] of blocks) {
    const attack = new Attack();
    attack.offer(
      [file("a", 100)],
      () => attack.peer.block(request, offset, new Uint8Array(length)),
    );
    assert.equal(await attack.outcome(), "protocol_violation");
    assert.equal(attack.storage.get("/into/a"), undefined);
  }
  const early = new Attack();
  early.peer.block(0, 0, new Uint8Array(1));
  assert.equal(await early.outcome(), "protocol_violation");
});

Deno.test("Receiver ignores copies of blocks of a request that is over [XFER-9]", async () => {
  const attack = new Attack();
  const bytes = new Uint8Array(100).fill(3);
  attack.offer([file("a", 100), file("b", 100)], () => {
    attack.peer.block(0, 0, bytes);
    attack.peer.say(whole(0, bytes));
  });
  await attack.link.run(attack.receiver.forth.half.finished).catch(() => {});
  assert.equal(attack.receiver.handleBlock(0, 0, new Uint8Array(100)), 0);
  assert.equal(attack.receiver.handleBlock(0, 500, new Uint8Array(100)), 0);
  assert.deepEqual(attack.storage.get("/into/a")!.bytes, bytes);
  assert.equal(attack.receiver.handleBlock(2, 0, new Uint8Array(1)), -1);
});

Deno.test("Receiver takes a root that comes before the first byte of a small file, once", async () => {
  const bytes = new Prng(3).bytes(1000);
  const good = new Attack();
  good.offer([file("a", 1000)], () => {
    good.peer.say(whole(0, bytes));
    // Wrong bytes are noticed all the same, and asked for again.
    good.peer.block(0, 0, bytes.map((byte) => byte ^ 1));
  });
  const onFirst = good.peer.onMessage;
  good.peer.onMessage = (message) => {
    onFirst(message);
    if (message.type === "receipt") good.peer.say({ type: "bye" });
    if (message.type !== "get" || message.firstRequest !== 1) return;
    good.peer.say(whole(1, bytes));
    good.peer.block(1, 600, bytes.slice(600));
    good.peer.block(1, 0, bytes.slice(0, 600));
  };
  assert.equal(await good.outcome(), "ok");
  assert.deepEqual(good.storage.get("/into/a")!.bytes, bytes);

  for (const second of [whole(0, bytes), nodes(0, bytes, 0)]) {
    const attack = new Attack();
    attack.offer([file("a", 1000)], () => {
      attack.peer.say(whole(0, bytes));
      attack.peer.say(second);
    });
    assert.equal(await attack.outcome(), "protocol_violation");
  }
});

for (const size of [1000, 3 * MIB + 7]) {
  Deno.test(`Receiver asks once more for wrong bytes and heals [XFER-12, ${size} bytes]`, async () => {
    const attack = new Attack();
    const bytes = new Prng(1).bytes(size);
    const groups = Math.ceil(size / MIB);
    const badGroup = groups - 1;
    attack.offer([file("a", size)], () => {
      for (let group = 0; group < groups; group++) {
        const sent = bytes.slice(group * MIB, (group + 1) * MIB);
        if (group === badGroup) sent[3]! ^= 1;
        attack.peer.block(0, group * MIB, sent);
        if (groups > 1) attack.peer.say(nodes(0, bytes, group));
      }
      attack.peer.say(whole(0, bytes));
    });
    const onFirst = attack.peer.onMessage;
    attack.peer.onMessage = (message) => {
      onFirst(message);
      if (message.type === "receipt") attack.peer.say({ type: "bye" });
      if (message.type !== "get" || message.firstRequest !== 1) return;
      const offset = badGroup * MIB;
      const ranges = groups > 1 ? [{ offset, length: size - offset }] : [];
      assert.deepEqual(message.items, [{ entry: 0, ranges }]);
      attack.peer.block(1, offset, bytes.slice(offset));
      if (groups > 1) {
        attack.peer.say(nodes(1, bytes, badGroup));
        attack.peer.say(
          { ...whole(1, bytes), status: "ranges", root: new Uint8Array(0) } as Message,
        );
      } else {
        attack.peer.say(whole(1, bytes));
      }
    };
    assert.equal(await attack.outcome(), "ok");
    assert.deepEqual(attack.storage.get("/into/a")!.bytes, bytes);
    assert.equal(attack.receiver.forth.progress.bytesDone, size);
    assert.equal(attack.link.right.consumedBytes, attack.link.right.acceptedBytes);
  });

  Deno.test(`Receiver gives up on bytes that are wrong twice [XFER-12, ${size} bytes]`, async () => {
    const attack = new Attack();
    const bytes = new Prng(1).bytes(size);
    const first = () => {
      attack.peer.block(0, 0, new Uint8Array(Math.min(size, MIB)));
      attack.peer.say(size > MIB ? nodes(0, bytes, 0) : whole(0, bytes));
    };
    attack.offer([file("folder file", size)], first);
    const onFirst = attack.peer.onMessage;
    attack.peer.onMessage = (message) => {
      onFirst(message);
      if (message.type !== "get" || message.firstRequest !== 1) return;
      attack.peer.block(1, 0, new Uint8Array(Math.min(size, MIB)));
      attack.peer.say(size > MIB ? nodes(1, bytes, 0) : whole(1, bytes));
    };
    assert.equal(await attack.outcome(), "integrity");
    assert.equal(attack.peer.wireCode, wireOf("integrity"));
    await assert.rejects(attack.receiver.forth.half.finished, /folder file/);
    assert.deepEqual(attack.storage.paths("/into"), []);
  });
}

Deno.test("Receiver refuses a root that the groups do not make [XFER-12]", async () => {
  const attack = new Attack();
  const bytes = new Prng(1).bytes(2 * MIB);
  attack.offer([file("a", 2 * MIB)], () => {
    for (const group of [0, 1]) {
      attack.peer.block(0, group * MIB, bytes.slice(group * MIB, (group + 1) * MIB));
      attack.peer.say(nodes(0, bytes, group));
    }
    attack.peer.say(whole(0, bytes.subarray(0, MIB + 1)));
  });
  assert.equal(await attack.outcome(), "integrity");
  const empty = new Attack();
  empty.offer([file("a", 0)], () => empty.peer.say(whole(0, new Uint8Array(1))));
  assert.equal(await empty.outcome(), "integrity");
});

Deno.test("Receiver refuses hashes and ends that do not fit the request [XFER-11]", async () => {
  const bytes = new Uint8Array(3 * MIB);
  const failed = (request: number, sentBytes: number): Message => ({
    type: "root",
    request,
    status: "changed",
    root: new Uint8Array(0),
    sentBytes,
  });
  const cases: Message[][] = [
    [{ type: "nodes", request: 0, firstGroup: 3, hashes: new Uint8Array(32) }],
    [{ type: "nodes", request: 0, firstGroup: 2 ** 52, hashes: new Uint8Array(32) }],
    [{ type: "nodes", request: 0, firstGroup: 2, hashes: new Uint8Array(64) }],
    [{ type: "nodes", request: 1, firstGroup: 0, hashes: new Uint8Array(32) }],
    [{ type: "nodes", request: 2, firstGroup: 0, hashes: new Uint8Array(32) }],
    [nodes(0, bytes, 1), nodes(0, bytes, 1)],
    [whole(0, bytes), nodes(0, bytes, 1)],
    [whole(0, bytes), whole(0, bytes)],
    [whole(2, bytes)],
    [failed(0, 3 * MIB + 1)],
    [{ ...failed(0, 0), status: "cancelled" } as Message],
    [{ ...failed(0, 0), status: "ranges" } as Message],
  ];
  for (const messages of cases) {
    const attack = new Attack();
    attack.offer([file("a", 3 * MIB), file("b", 5)], () => attack.peer.say(...messages));
    assert.equal(await attack.outcome(), "protocol_violation");
  }
});

Deno.test("Receiver bounds hashes that come ahead of their bytes [XFER-11]", async () => {
  const attack = new Attack();
  const size = (MAX_EARLY_HASHES + 1) * MIB;
  attack.offer([file("a", size)], () => {
    for (let firstGroup = 0; firstGroup <= MAX_EARLY_HASHES; firstGroup += 4097) {
      const hashes = new Uint8Array(32 * 4097);
      attack.peer.say({ type: "nodes", request: 0, firstGroup, hashes });
    }
  });
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Receiver bounds hashes of large files, whatever came ahead of small ones [XFER-11]", async () => {
  const small = Array.from({ length: MAX_EARLY_HASHES + 1 }, (_, index) => file(`${index}`, 1));
  const attack = new Attack();
  attack.offer([...small, file("zzz", 1e12)], () => {
    const root = new Uint8Array(32);
    for (let request = 0; request < small.length; request++) {
      attack.peer.say({ type: "root", request, status: "whole", root, sentBytes: 0 });
    }
    const hashes = new Uint8Array(1000 * 32);
    for (let firstGroup = 0; firstGroup <= MAX_EARLY_HASHES; firstGroup += 1000) {
      attack.peer.say({ type: "nodes", request: small.length, firstGroup, hashes });
    }
  });
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Receiver takes the roots of as many small files as it asked for before their bytes", async () => {
  const attack = new Attack();
  const bytes = new Uint8Array([7]);
  const count = MAX_EARLY_HASHES;
  const small = Array.from({ length: count }, (_, index) => file(`${index}`, 1));
  const large = new Prng(1).bytes(2 * MIB);
  attack.offer([...small, file("zzz", large.length)], () => {
    for (let request = 0; request < count; request++) attack.peer.say(whole(request, bytes));
    attack.peer.say(nodes(count, large, 0), nodes(count, large, 1), whole(count, large));
  });
  const { peer, link } = attack;
  peer.handleWritable = () => {
    if (peer.of("get").length === 0 || link.left.controlQueuedBytes > 0) return;
    peer.handleWritable = () => {};
    for (let request = 0; request < count; request++) peer.block(request, 0, bytes);
    peer.block(count, 0, large.subarray(0, MIB));
    peer.block(count, MIB, large.subarray(MIB));
    peer.onMessage = (message) => {
      if (message.type === "receipt") peer.say({ type: "bye" });
    };
  };
  assert.equal(await attack.outcome(), "ok");
});

Deno.test("Receiver bounds groups that are begun and not finished [XFER-16]", async () => {
  const attack = new Attack({ bufferBytes: 4 * MIB });
  attack.offer([file("a", 100 * MIB)], () => {
    for (let group = 0; group < 6; group++) attack.peer.block(0, group * MIB, new Uint8Array(1));
  });
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Receiver refuses groups in crumbs [XFER-9]", async () => {
  const attack = new Attack();
  attack.offer([file("a", MIB)], () => {
    for (let crumb = 0; crumb < 1100; crumb++) attack.peer.block(0, crumb * 2, new Uint8Array(1));
  });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Receiver takes a huge size for what it is: nothing, until bytes come", async () => {
  const attack = new Attack();
  attack.offer([file("a", Number.MAX_SAFE_INTEGER)], () => {
    attack.peer.block(0, 0, new Uint8Array(10));
    attack.peer.say({
      type: "root",
      request: 0,
      status: "unreadable",
      root: new Uint8Array(0),
      sentBytes: 10,
    });
  });
  const onFirst = attack.peer.onMessage;
  attack.peer.onMessage = (message) => {
    onFirst(message);
    if (message.type === "receipt") attack.peer.say({ type: "bye" });
  };
  assert.equal(await attack.outcome(), "read_failed");
  assert.equal(attack.link.right.consumedBytes, attack.link.right.acceptedBytes);
});

Deno.test("Receiver waits for the bytes of a file that was given up before it is done [XFER-9]", async () => {
  const attack = new Attack();
  attack.offer([file("a", 100)], () => {
    const failed = { type: "root", request: 0, status: "changed", sentBytes: 60 } as const;
    attack.peer.say({ ...failed, root: new Uint8Array(0) });
  });
  await attack.link.run(attack.receiver.forth.half.finished).catch(() => {});
  assert.deepEqual(attack.peer.of("receipt"), []);
  attack.peer.block(0, 0, new Uint8Array(60));
  attack.peer.onMessage = (message) => {
    if (message.type === "receipt") attack.peer.say({ type: "bye" });
  };
  assert.equal(await attack.outcome(), "ok");
  assert.deepEqual([attack.link.right.acceptedBytes, attack.link.right.consumedBytes], [60, 60]);
});

Deno.test("Receiver refuses a nonce the sharer did not commit to [XFER-5]", async () => {
  const verification = {
    handshakeHash: new Uint8Array(32),
    random: new Prng(1),
    confirmWords: () => Promise.resolve(true),
  };
  const attack = new Attack({ verification });
  attack.peer.say({ ...HELLO, features: 1 } as Message);
  attack.peer.say({ type: "verify_commit", commitment: new Uint8Array(32) });
  attack.peer.say({ type: "verify_nonce", nonce: new Uint8Array(32) });
  assert.equal(await attack.outcome(), "authentication_failed");
});

Deno.test("Receiver is told once that it has to wait", async () => {
  const attack = new Attack();
  attack.peer.say(HELLO, { type: "pending", reason: "admission" }, {
    type: "pending",
    reason: "admission",
  });
  assert.equal(await attack.outcome(), "protocol_violation");
  assert.equal(attack.notices.length, 1);
});

const ONE_BYTE = new Uint8Array(1);

Deno.test("Receiver bounds groups that are begun, also of a file that was given up [XFER-16]", async () => {
  const attack = new Attack();
  const size = 40_000 * MIB;
  attack.offer([file("a", size)], () => {
    const failed = { type: "root", request: 0, status: "changed", sentBytes: size } as const;
    attack.peer.say({ ...failed, root: new Uint8Array(0) });
  });
  await attack.link.run(attack.receiver.forth.half.finished).catch(() => {});
  for (let group = 0; group < 40_000; group++) {
    attack.link.right.acceptedBytes += attack.receiver.handleBlock(0, group * MIB, ONE_BYTE);
  }
  assert.equal(await attack.outcome(), "limit_exceeded");
});

Deno.test("Receiver does not wait for hashes that did not come before the root [XFER-11]", async () => {
  const attack = new Attack();
  const bytes = new Prng(1).bytes(2 * MIB);
  attack.offer([file("a", bytes.length)], () => {
    attack.peer.block(0, 0, bytes.slice(0, MIB));
    attack.peer.block(0, MIB, bytes.slice(MIB));
    attack.peer.say(nodes(0, bytes, 0), whole(0, bytes));
  });
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("Receiver tells the sharer when a part asked for again fails [XFER-14]", async () => {
  const attack = new Attack();
  const bytes = new Prng(1).bytes(2 * MIB);
  const wrong = bytes.slice(0, MIB);
  wrong[5]! ^= 1;
  attack.offer([file("a", bytes.length)], () => {
    attack.peer.block(0, 0, wrong);
    attack.peer.block(0, MIB, bytes.slice(MIB));
    attack.peer.say(nodes(0, bytes, 0), nodes(0, bytes, 1), whole(0, bytes));
    attack.peer.onMessage = (message) => {
      if (message.type === "get") {
        const failed = { type: "root", request: 1, status: "changed", sentBytes: 0 } as const;
        attack.peer.say({ ...failed, root: new Uint8Array(0) });
      } else if (message.type === "receipt") {
        attack.peer.say({ type: "bye" });
      }
    };
  });
  assert.equal(await attack.outcome(), "ok");
  assert.ok(attack.peer.of("cancel").some(({ request }) => request === 0));
});
