/**
 * Goal: what goes both ways over one session does so whole, and neither half's end, trouble or malice
 * touches the other where it need not.
 * Method: a sharer and a client joined in memory, and either against a peer that says what it should
 * not.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { sasCommitment } from "../../../lib/crypto/sas.ts";
import { ERRORS, TransferError } from "../../../lib/errors.ts";
import type { ExchangeEnd } from "../../../lib/transfer/exchange.ts";
import {
  ClientExchange,
  type ClientExchangeOptions,
} from "../../../lib/transfer/client_exchange.ts";
import { GROUP_BYTES, MAX_ENTRIES } from "../../../lib/transfer/limits.ts";
import { FEATURE_VERIFY, type Message } from "../../../lib/transfer/messages.ts";
import { buildManifest } from "../../../lib/transfer/offer/manifest.ts";
import { NameClaims, OwnNaming } from "../../../lib/transfer/own_names.ts";
import { ListRoom } from "../../../lib/transfer/receiving/list_room.ts";
import type { TakingOptions } from "../../../lib/transfer/receiving/receiver.ts";
import type { GivingOptions } from "../../../lib/transfer/sending/sender.ts";
import type { TransferNotice } from "../../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { MemoryLink } from "../../support/memory_channel.ts";
import { Prng } from "../../support/prng.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { assertSameFakeTree } from "../../support/same_fake_tree.ts";
import { SenderAttack } from "../../support/sender_attack.ts";
import { reportEnd, TransferPair, type TransferPairOptions } from "../../support/transfer_pair.ts";

const NOTHING: Message = {
  type: "offer",
  entries: 0,
  files: 0,
  directories: 0,
  links: 0,
  bytes: 0,
};
const ONE: Message = { ...NOTHING, entries: 1, files: 1, bytes: 3 };

interface BothWaysOptions extends Omit<TransferPairOptions, "sender" | "receiver"> {
  readonly sender?: TransferPairOptions["sender"];
  readonly receiver?: TransferPairOptions["receiver"];
  readonly take?: Partial<TakingOptions> | false;
}

/** A sharer of `/share` that takes into `/taken`, and a client that gives `/gift`. */
class BothWays {
  readonly pair: TransferPair;
  readonly taken: TransferNotice[] = [];
  readonly given: TransferNotice[] = [];
  readonly ends: string[] = [];
  gift!: GivingOptions;

  constructor(options: BothWaysOptions = {}) {
    const { take } = options;
    const source = options.source ?? new FakeStorage();
    const target = options.target ?? new FakeStorage();
    const note = (who: string) => (half: string, end: unknown) =>
      void this.ends.push(`${who} ${half} ${end instanceof TransferError ? end.code : "ok"}`);
    this.pair = new TransferPair({
      ...options,
      source,
      target,
      sender: {
        onHalfEnd: note("sharer"),
        ...(take === false ? {} : {
          take: {
            storage: source,
            directory: "/taken",
            decide: () => Promise.resolve({ accept: true }),
            onEvent: (notice) => this.taken.push(notice),
            ...take,
          },
        }),
        ...options.sender,
      },
      receiver: {
        onHalfEnd: note("client"),
        give: () => this.gift,
        ...options.receiver,
      },
    });
  }

  async start(): Promise<this> {
    const { target } = this.pair;
    const manifest = await buildManifest(target, ["/gift"], { onWarning: () => {} });
    this.gift = { storage: target, manifest, onEvent: (notice) => this.given.push(notice) };
    await this.pair.start();
    return this;
  }

  /** Runs until both sides are over; gives how each saw it. */
  async run(): Promise<{ readonly sharer: ExchangeEnd; readonly client: ExchangeEnd }> {
    const { sender, receiver, link, source, target } = this.pair;
    const both = Promise.all([sender.finished, receiver.finished]);
    await link.run(both);
    const [sharer, client] = await both;
    assert.deepEqual([source.openFiles, target.openFiles], [0, 0]);
    return { sharer, client };
  }
}

function codeOf(end: ExchangeEnd["back"]): string {
  return end instanceof TransferError ? end.code : end === undefined ? "none" : "ok";
}

function codesOf({ forth, back }: ExchangeEnd): [forth: string, back: string] {
  return [codeOf(forth), codeOf(back)];
}

function fill(storage: FakeStorage, folder: string, prng: Prng, large = 3 * GROUP_BYTES + 7): void {
  for (let index = 0; index < 40; index++) {
    storage.addFile(`${folder}/some/f${index}`, prng.bytes(prng.integer(0, 9000)));
  }
  storage.addFile(`${folder}/large`, prng.bytes(large));
  storage.addFile(`${folder}/empty`, "");
}

/** Both sides with files of their own, under names that meet. */
function filled(options: BothWaysOptions = {}): BothWays {
  const ways = new BothWays(options);
  const prng = new Prng(options.seed ?? 1);
  fill(ways.pair.source, "/share", prng);
  fill(ways.pair.target, "/gift", prng);
  return ways;
}

for (let seed = 1; seed <= 6; seed++) {
  Deno.test(`Exchange brings two trees over at the same time [seed ${seed}] [BACK-1] [BACK-5]`, async () => {
    const ways = await filled({ seed, reorderWindow: 9, duplicateRate: 0.1 }).start();
    const { source, target, link } = ways.pair;
    source.answersAtOnce = seed % 2 === 0;
    const { sharer, client } = await ways.run();
    assertSameFakeTree(source, "/share", target, "/into/share");
    assertSameFakeTree(target, "/gift", source, "/taken/gift");
    assert.deepEqual(sharer, client);
    assert.deepEqual(codesOf(sharer), ["ok", "ok"]);
    assert.deepEqual([link.left.end?.wireCode, link.right.end?.wireCode], [0, 0]);
    assert.deepEqual([...ways.ends].sort(), [
      "client back ok",
      "client forth ok",
      "sharer back ok",
      "sharer forth ok",
    ]);
    for (const notices of [ways.taken, ways.given]) {
      assert.equal(notices.filter(({ event }) => event === "file-done").length, 42);
    }
  });
}

Deno.test("Exchange moves both halves side by side, not one after the other", async () => {
  const ways = await filled().start();
  const { link } = ways.pair;
  let hasBoth = false;
  const send = link.right.sendBlock.bind(link.right);
  link.right.sendBlock = (block) => {
    hasBoth ||= link.left.blockQueuedBytes > 0;
    send(block);
  };
  await ways.run();
  assert.ok(hasBoth);
});

Deno.test("Exchange declines at once what nobody takes, and goes on [BACK-3] [BACK-4]", async () => {
  const ways = await filled({ take: false }).start();
  const { source, target } = ways.pair;
  const { sharer, client } = await ways.run();
  assert.deepEqual([codesOf(sharer), codesOf(client)], [["ok", "none"], ["ok", "refused"]]);
  assertSameFakeTree(source, "/share", target, "/into/share");
  assert.deepEqual(source.paths("/taken"), []);
  assert.match((client.back as TransferError).message, /nothing is taken here/);
});

Deno.test("Exchange goes on with one half when the other is refused, either of them [BACK-4]", async () => {
  const decide = () => Promise.resolve({ accept: false });
  const forth = await filled({ take: { decide } }).start();
  const refusedBack = await forth.run();
  assert.deepEqual(codesOf(refusedBack.sharer), ["ok", "refused"]);
  assert.deepEqual(codesOf(refusedBack.client), ["ok", "refused"]);
  assertSameFakeTree(forth.pair.source, "/share", forth.pair.target, "/into/share");

  const back = await filled({ decision: { accept: false } }).start();
  const refusedForth = await back.run();
  assert.deepEqual(codesOf(refusedForth.sharer), ["refused", "ok"]);
  assert.deepEqual(codesOf(refusedForth.client), ["refused", "ok"]);
  assertSameFakeTree(back.pair.target, "/gift", back.pair.source, "/taken/gift");
  assert.deepEqual(back.pair.target.paths("/into"), []);
});

Deno.test("Exchange ends when both halves are refused, and both sides know [BACK-4] [BACK-5]", async () => {
  const ways = await filled({
    decision: { accept: false },
    take: { decide: () => Promise.resolve({ accept: false }) },
  }).start();
  const { sharer, client } = await ways.run();
  assert.deepEqual([codesOf(sharer), codesOf(client)], [
    ["refused", "refused"],
    ["refused", "refused"],
  ]);
});

for (let seed = 1; seed <= 4; seed++) {
  Deno.test(`Exchange goes on with one half when the disk of the other is full [seed ${seed}] [BACK-4]`, async () => {
    const back = await filled({ seed, reorderWindow: 5, creditBytes: 2_500_000 }).start();
    back.pair.source.capacityBytes = 2 * GROUP_BYTES;
    const fullBack = await back.run();
    assert.deepEqual(codesOf(fullBack.sharer), ["ok", "disk_full"]);
    assert.deepEqual(codesOf(fullBack.client), ["ok", "disk_full"]);
    assertSameFakeTree(back.pair.source, "/share", back.pair.target, "/into/share");
    assert.match((fullBack.client.back as TransferError).hint, /on the other side/);

    const forth = await filled({ seed, reorderWindow: 5, creditBytes: 2_500_000 }).start();
    forth.pair.target.capacityBytes = 2 * GROUP_BYTES;
    const fullForth = await forth.run();
    assert.deepEqual(codesOf(fullForth.sharer), ["disk_full", "ok"]);
    assert.deepEqual(codesOf(fullForth.client), ["disk_full", "ok"]);
    assertSameFakeTree(forth.pair.target, "/gift", forth.pair.source, "/taken/gift");
  });
}

Deno.test("a client that only gives takes nothing and sends no LIST [BACK-1] [BACK-4]", async () => {
  const ways = await filled({ receiver: { declines: true } }).start();
  const { sharer, client } = await ways.run();
  assert.deepEqual([codesOf(sharer), codesOf(client)], [["refused", "ok"], ["refused", "ok"]]);
  assertSameFakeTree(ways.pair.target, "/gift", ways.pair.source, "/taken/gift");
  assert.deepEqual(ways.pair.target.paths("/into"), []);
});

Deno.test("a drop box offers nothing and takes what is given", async () => {
  const source = new FakeStorage();
  const { manifest } = await new SenderAttack().start();
  const nothing = { ...manifest, entries: [], files: 0, directories: 0, links: 0, bytes: 0 };
  const ways = new BothWays({ source, manifest: nothing });
  fill(ways.pair.target, "/gift", new Prng(1));
  await ways.start();
  const { sharer, client } = await ways.run();
  assert.deepEqual([codesOf(sharer), codesOf(client)], [["ok", "ok"], ["ok", "ok"]]);
  assert.equal((client.forth as { items: number }).items, 0);
  assertSameFakeTree(ways.pair.target, "/gift", source, "/taken/gift");
});

Deno.test("a client may offer late, and its receipt waits while it gets ready [BACK-1]", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const ways = filled({ receiver: { give: () => undefined, beforeReceipt: () => promise } });
  await ways.start();
  const { pair } = ways;
  await pair.link.run(pair.receiver.finished).catch(() => {}); // nothing moves any more: it waits
  assertSameFakeTree(pair.source, "/share", pair.target, "/into/share");
  assert.ok(pair.receiver.mayOffer);
  pair.receiver.offer(ways.gift);
  assert.ok(!pair.receiver.mayOffer);
  resolve();
  const { sharer, client } = await ways.run();
  assert.deepEqual([codesOf(sharer), codesOf(client)], [["ok", "ok"], ["ok", "ok"]]);
  assertSameFakeTree(pair.target, "/gift", pair.source, "/taken/gift");
});

Deno.test("nothing may be offered before the sharer has let the client in, or after the receipt [BACK-1]", async () => {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const ways = await filled({
    sender: { admit: () => promise },
    receiver: { give: () => undefined },
  }).start();
  assert.ok(!ways.pair.receiver.mayOffer);
  resolve(true);
  const { client } = await ways.run();
  assert.deepEqual(codesOf(client), ["ok", "none"]);
  assert.ok(!ways.pair.receiver.mayOffer);
});

Deno.test("an exchange that is lost does not hang, whenever that is, and ends both halves alike", async () => {
  const seen = new Set<string>();
  for (let turns = 1; turns < 900; turns += 11) {
    const ways = filled({ seed: turns });
    await ways.start();
    const { link, sender, receiver } = ways.pair;
    let left = turns;
    const deliver = link.left.deliver.bind(link.left);
    link.left.deliver = () => left-- === 0 ? link.left.vanish() : deliver();
    const lost = new TransferError("path_lost", "Lost by test");
    link.left.onEnd = ({ wireCode }) => sender.handleClosed(wireCode === 0 ? undefined : lost);
    link.right.onEnd = ({ wireCode }) => receiver.handleClosed(wireCode === 0 ? undefined : lost);
    const { sharer, client } = await ways.run();
    for (const end of [sharer, client]) {
      for (const code of codesOf(end)) assert.ok(["ok", "path_lost", "none"].includes(code), code);
    }
    seen.add(codesOf(client).join());
  }
  assert.ok(seen.has("path_lost,path_lost") && seen.size > 2, [...seen].join(" "));
});

// ---- an evil client ----

const takeInto = (storage: FakeStorage): TakingOptions => ({
  storage,
  directory: "/taken",
  decide: () => Promise.resolve({ accept: true }),
  onEvent: () => {},
});

Deno.test("SharerExchange refuses offers out of turn, with and without something that takes them [BACK-1]", async () => {
  const list: Message = { type: "list", first: 0 };
  for (const takes of [true, false]) {
    const start = async (admits: boolean) => {
      const attack = new SenderAttack();
      return await attack.start({
        ...(takes ? { take: takeInto(attack.storage) } : {}),
        ...(admits ? {} : { admit: () => new Promise(() => {}) }),
      });
    };
    const sequences: Message[][] = [[ONE, ONE], [ONE, list, ONE], [ONE, ONE, ONE, ONE]];
    for (const sequence of sequences) {
      const attack = await start(true);
      attack.peer.say(...sequence);
      assert.equal(await attack.outcome(), "protocol_violation", JSON.stringify(sequence));
    }
    const stranger = await start(false);
    stranger.peer.say(ONE);
    assert.equal(await stranger.outcome(), "protocol_violation");
    assert.deepEqual(stranger.peer.of("decline"), []);
    assert.deepEqual(stranger.peer.of("list"), []);
  }
});

Deno.test("SharerExchange keeps nothing for a client it takes nothing of [BACK-2] [BACK-3]", async () => {
  const hash = new Uint8Array(32);
  const answers: Message[] = [
    {
      type: "entries",
      first: 0,
      entries: [{ kind: "file", path: "a", sizeBytes: 3, mtimeMs: 0, executable: false }],
    },
    { type: "nodes", request: 0, firstGroup: 0, hashes: hash },
    { type: "root", request: 0, status: "whole", root: hash, sentBytes: 0 },
    { type: "bye" },
  ];
  for (const answer of answers) {
    const attack = await new SenderAttack().start();
    attack.peer.say(ONE);
    await attack.settle();
    assert.equal(attack.peer.of("decline")[0]?.wireCode, ERRORS.refused.wire);
    attack.peer.say(answer);
    assert.equal(await attack.outcome(), "protocol_violation", answer.type);
  }
  const attack = await new SenderAttack().start();
  attack.peer.say(ONE);
  await attack.settle();
  attack.peer.block(0, 0, new Uint8Array(3));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("SharerExchange refuses blocks and ends it did not ask for [BACK-2] [XFER-9]", async () => {
  for (const isOffered of [false, true]) {
    const attack = new SenderAttack();
    await attack.start({ take: takeInto(attack.storage) });
    if (isOffered) attack.peer.say(ONE);
    await attack.settle();
    assert.equal(attack.peer.of("list").length, isOffered ? 1 : 0);
    attack.peer.block(0, 0, new Uint8Array(3));
    assert.equal(await attack.outcome(), "protocol_violation");
    assert.deepEqual(attack.storage.paths("/taken"), []);
  }
});

Deno.test("SharerExchange lets no client write outside, whatever it offers [NAME-1]", async () => {
  const attack = new SenderAttack();
  attack.storage.addFile("/outside", "mine");
  await attack.start({ take: takeInto(attack.storage) });
  const { peer } = attack;
  const names = ["../outside", "/outside", "a/../../outside", ".ssh", "CON", "\u202egnp"];
  peer.say({ ...NOTHING, entries: names.length, files: names.length, bytes: 3 * names.length });
  peer.say({
    type: "entries",
    first: 0,
    entries: names.map((path) => ({
      kind: "file",
      path,
      sizeBytes: 3,
      mtimeMs: 0,
      executable: false,
    })),
  });
  await attack.settle();
  const asked = peer.of("get").flatMap(({ items }) => items.map(({ entry }) => names[entry]));
  assert.deepEqual(asked, ["CON", "\u202egnp"]);
  assert.deepEqual(
    attack.storage.paths("/").filter((path) => !path.startsWith("/taken")),
    ["/outside", "/secret", "/share", "/share/big", "/share/empty", "/share/small"],
  );
});

Deno.test("SharerExchange bounds the lists of all clients together, and serves the others [BACK-6]", async () => {
  const listRoom = new ListRoom();
  const held = listRoom.share();
  assert.ok(held.take(MAX_ENTRIES - 20, 0));
  const declined = await filled({ take: { listRoom } }).start();
  const { sharer, client } = await declined.run();
  assert.deepEqual(codesOf(sharer), ["ok", "refused"]);
  assert.deepEqual(codesOf(client), ["ok", "refused"]);
  held.giveBack();
  for (let index = 0; index < 3; index++) {
    const taken = await filled({ take: { listRoom } }).start();
    assert.deepEqual(codesOf((await taken.run()).sharer), ["ok", "ok"]);
  }
  // All of it was given back.
  assert.ok(listRoom.share().take(MAX_ENTRIES, 0));
});

Deno.test("SharerExchange holds room for a list as long as it is there, also when all was taken [BACK-6]", async () => {
  const listRoom = new ListRoom();
  const undecided = Promise.withResolvers<{ readonly accept: true }>();
  const ways = await filled({
    take: { listRoom },
    receiver: { decide: () => undecided.promise },
  }).start();
  const { pair } = ways;
  await pair.link.run(pair.sender.finished).catch(() => {});
  assert.deepEqual(ways.ends.toSorted(), ["client back ok", "sharer back ok"]);
  const other = listRoom.share();
  assert.equal(other.take(MAX_ENTRIES, 0), false);
  undecided.resolve({ accept: true });
  assert.deepEqual(codesOf((await ways.run()).sharer), ["ok", "ok"]);
  await undefined;
  assert.equal(other.take(MAX_ENTRIES, 0), true);
});

Deno.test("SharerExchange gives the room of a list back that it declines [BACK-6]", async () => {
  const listRoom = new ListRoom();
  const undecided = Promise.withResolvers<{ readonly accept: true }>();
  const ways = await filled({
    take: { listRoom, decide: () => Promise.resolve({ accept: false }) },
    receiver: { decide: () => undecided.promise },
  }).start();
  const { pair } = ways;
  await pair.link.run(pair.sender.finished).catch(() => {});
  assert.deepEqual(ways.ends.toSorted(), ["client back refused", "sharer back refused"]);
  assert.equal(listRoom.share().take(MAX_ENTRIES, 0), true);
  undecided.resolve({ accept: true });
  assert.deepEqual(codesOf((await ways.run()).sharer), ["ok", "refused"]);
});

Deno.test("a violation in one half ends both [BACK-4]", async () => {
  const ways = await filled().start();
  const { link } = ways.pair;
  let count = 0;
  const send = link.right.sendBlock.bind(link.right);
  link.right.sendBlock = (block) => send(++count === 2 ? { ...block, request: 4000 } : block);
  const { sharer, client } = await ways.run().catch((error) => {
    throw error;
  });
  assert.deepEqual([codesOf(sharer)[1], codesOf(client)[1]], [
    "protocol_violation",
    "protocol_violation",
  ]);
});

// ---- an evil sharer ----

/** A client that gives `/gift`, and a sharer that says what it should not. */
async function attackClient(
  gives = true,
  first: readonly Message[] = [{ type: "hello", version: 1, features: 0, text: "" }, NOTHING],
) {
  const storage = new FakeStorage();
  storage.addFile("/gift/a", "abc");
  storage.addFile("/secret", "secret");
  const manifest = await buildManifest(storage, ["/gift"], { onWarning: () => {} });
  const link = new MemoryLink(1);
  const peer = new RawPeer(link.left);
  const client = new ClientExchange({
    channel: link.right,
    crypto: nodeProvider,
    storage,
    directory: "/into",
    decide: () => new Promise(() => {}),
    onEvent: () => {},
    ...(gives ? { give: () => ({ storage, manifest, onEvent: () => {} }) } : {}),
  });
  link.right.handler = client;
  reportEnd(link.right, client);
  client.start();
  peer.say(...first);
  return { link, peer, client, storage };
}

Deno.test("ClientExchange gives nothing but what it offers, and that once [BACK-2] [XFER-7]", async () => {
  const get = (...entries: number[]): Message => ({
    type: "get",
    firstRequest: 0,
    items: entries.map((entry) => ({ entry, ranges: [] })),
  });
  const receipt: Message = {
    type: "receipt",
    root: new Uint8Array(32),
    items: 1,
    bytes: 3,
    leftOut: 0,
  };
  const decline: Message = { type: "decline", wireCode: ERRORS.refused.wire, text: "" };
  const check: Message = { type: "check", firstRequest: 0, entries: [1, 1] };
  const wrong: [gives: boolean, messages: Message[], code: string][] = [
    [true, [get(0)], "protocol_violation"],
    [true, [get(2)], "protocol_violation"],
    [true, [get(1), get(1)], "protocol_violation"],
    [true, [check], "protocol_violation"],
    [true, [receipt], "integrity"],
    [true, [decline, get(1)], "protocol_violation"],
    [true, [decline, decline], "protocol_violation"],
    [false, [get(1)], "protocol_violation"],
    [false, [receipt], "protocol_violation"],
    [false, [decline], "protocol_violation"],
    [false, [{ type: "list", first: 0 }], "protocol_violation"],
    [false, [{ type: "cancel", request: 0 }], "protocol_violation"],
  ];
  for (const [gives, messages, code] of wrong) {
    const { link, peer, client, storage } = await attackClient(gives);
    await link.run(client.finished).catch(() => {});
    peer.say(...messages);
    await link.run(client.finished);
    const { forth } = await client.finished;
    assert.equal(codeOf(forth), code, JSON.stringify(messages));
    assert.equal(storage.openFiles, 0);
    for (const { bytes } of peer.blocks) assert.deepEqual(bytes, new TextEncoder().encode("abc"));
  }
});

Deno.test("ClientExchange shows nothing of what it gives before it was let in [BACK-1]", async () => {
  const { link, peer, client } = await attackClient(true, [
    { type: "hello", version: 1, features: 0, text: "" },
  ]);
  peer.say({ type: "pending", reason: "admission" });
  await link.run(client.finished).catch(() => {});
  assert.deepEqual(peer.received, [{ type: "list", first: 0 }]);
  peer.say(NOTHING);
  await link.run(client.finished).catch(() => {});
  assert.deepEqual(peer.of("offer"), [{
    type: "offer",
    entries: 2,
    files: 1,
    directories: 1,
    links: 0,
    bytes: 3,
  }]);
});

/** A client that gives `/gift` and compares words, with whoever is in the middle. */
async function attackVerifying(options: Partial<ClientExchangeOptions> = {}) {
  const storage = new FakeStorage();
  storage.addFile("/gift/a", "abc");
  const manifest = await buildManifest(storage, ["/gift"], { onWarning: () => {} });
  const gift: GivingOptions = { storage, manifest, onEvent: () => {} };
  const link = new MemoryLink(1);
  const peer = new RawPeer(link.left);
  const answer = Promise.withResolvers<boolean>();
  const client = new ClientExchange({
    channel: link.right,
    crypto: nodeProvider,
    storage,
    directory: "/into",
    decide: () => Promise.resolve({ accept: true }),
    onEvent: () => {},
    verification: {
      handshakeHash: new Uint8Array(32),
      random: new Prng(1),
      confirmWords: () => answer.promise,
    },
    ...options,
  });
  link.right.handler = client;
  reportEnd(link.right, client);
  client.start();
  const nonce = new Uint8Array(32);
  const commitment = sasCommitment(nodeProvider, nonce);
  peer.say({ type: "hello", version: 1, features: FEATURE_VERIFY, text: "" });
  peer.say({ type: "verify_commit", commitment }, { type: "verify_nonce", nonce }, NOTHING);
  const settle = () => link.run(client.finished).catch(() => {});
  await settle();
  return { peer, client, gift, answer, settle };
}

for (const declines of [false, true]) {
  const how = declines ? "takes nothing" : "takes as well";
  Deno.test(`ClientExchange that ${how} tells what it gives once the words were the same [BACK-1]`, async () => {
    const { peer, client, gift, answer, settle } = await attackVerifying({ declines });
    assert.ok(client.mayOffer);
    client.offer(gift);
    assert.ok(!client.mayOffer);
    await settle();
    const before = declines ? ["verify_nonce"] : ["list", "verify_nonce"];
    assert.deepEqual(peer.received.map(({ type }) => type), before);
    answer.resolve(true);
    await settle();
    const after = peer.received.slice(before.length).map(({ type }) => type);
    assert.deepEqual(after, ["offer", declines ? "decline" : "receipt"]);
    assert.equal(client.goesOn, true);
  });

  Deno.test(`ClientExchange that ${how} tells nothing of what it gives when they were not [BACK-1]`, async () => {
    const { peer, client, gift, answer, settle } = await attackVerifying({ declines });
    client.offer(gift);
    answer.resolve(false);
    await settle();
    assert.equal(peer.wireCode, ERRORS.authentication_failed.wire);
    assert.deepEqual(peer.of("offer"), []);
    const { forth, back } = await client.finished;
    assert.deepEqual([codeOf(forth), codeOf(back)], ["authentication_failed", "none"]);
  });
}

Deno.test("ClientExchange compares words before it answers an offer by its own [BACK-1] [XFER-5]", async () => {
  const storage = new FakeStorage();
  storage.addFile("/gift/a", "abc");
  const manifest = await buildManifest(storage, ["/gift"], { onWarning: () => {} });
  const give = () => ({ storage, manifest, onEvent: () => {} });
  const { peer, answer, settle } = await attackVerifying({ give });
  assert.deepEqual(peer.of("offer"), []);
  answer.resolve(true);
  await settle();
  assert.deepEqual(peer.of("offer").map(({ entries }) => entries), [2]);
});

Deno.test("names beside files are those of the first who wants them, and given back [DISK-3]", () => {
  const claims = new NameClaims();
  const [first, second, alone] = [
    new OwnNaming(nodeProvider, claims),
    new OwnNaming(nodeProvider, claims),
    new OwnNaming(nodeProvider),
  ];
  assert.deepEqual(first.of("a/b"), alone.of("a/b"));
  const other = second.of("a/b");
  assert.notDeepEqual(other, first.of("a/b"));
  assert.deepEqual(second.of("c"), alone.of("c"));
  assert.notDeepEqual(first.of("c"), alone.of("c"));
  first.end();
  // Who came second keeps its own: a file must not change its name while it is put together.
  assert.deepEqual(second.of("a/b"), other);
  assert.deepEqual(new OwnNaming(nodeProvider, claims).of("a/b"), alone.of("a/b"));
});
