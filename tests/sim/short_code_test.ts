/**
 * Goal: a short code works for the two it is for, in every way a whole one does, and for nobody else;
 * what goes wrong between the two is said, and mended by a whole code.
 * Method: as `identity_test.ts`, with evil peers that hold the secret of the pair, too.
 */
import assert from "node:assert/strict";
import { signIdentity } from "../../lib/crypto/identity.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { shortCodeT } from "../../lib/crypto/pair_secret.ts";
import { ERRORS } from "../../lib/errors.ts";
import { updatePeer } from "../../lib/identity/identity_book.ts";
import { encodeShareCode } from "../../lib/rendezvous/share_code.ts";
import { decodeShortCode, encodeShortCode } from "../../lib/rendezvous/short_code.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { FEATURE_IDENTITY } from "../../lib/transfer/messages.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { assertComplete, errorsOf, HostileScene, type Watched } from "../support/hostile_scene.ts";
import { makePair, Person } from "../support/identity_people.ts";
import { assertArrived as assertMet, MeetingWorld } from "../support/meeting_world.ts";
import { assertArrived, ReconnectScene } from "../support/reconnect_scene.ts";
import { seededTest } from "../support/seeded_test.ts";
import { readCode } from "../support/share_codes.ts";

const SMALL = 30_000;
const SECRET = new Uint8Array(32).fill(0x77);

function play(run: (scene: HostileScene) => Promise<void>, seed = 1): Promise<void> {
  const scene = new HostileScene(seed);
  return scene.run(() => run(scene));
}

function toldNothing({ events }: Watched<unknown>): boolean {
  return !events.some(({ event }) => ["offer", "progress", "file-done", "done"].includes(event));
}

Deno.test("a short code is short, and good for the two it is for [CODE-7] [CODE-8]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const target = new FakeStorage();
    const sharing = await scene.share(SMALL, {
      readLimit: 1,
      identity: alice.shown,
      forPeer: "bob",
      // Nobody is asked: the code is for somebody who proves to be that one.
      admit: () => Promise.resolve(false),
    });
    const { code } = sharing.operation;
    assert.ok(code.length <= 30, code);
    const receiving = scene.receive(code.toUpperCase(), { identity: bob.shown, storage: target });
    await Promise.all([sharing.over, receiving.over]);
    assertComplete(receiving, scene.source, target);
    for (const [watched, name] of [[sharing, "bob"], [receiving, "alice"]] as const) {
      const told = watched.events.filter((event) => event.event === "identity");
      assert.deepEqual(told.map(({ name }) => name), [name]);
    }
    // Both have proved that they have it: it stays as it is.
    for (const peer of [await alice.peer("bob"), await bob.peer("alice")]) {
      assert.deepEqual(peer!.pairSecret, SECRET);
    }
  }));

Deno.test("two short codes of one pair have nothing in common", () =>
  play(async (scene) => {
    const { alice } = await makePair(scene.world.prng, SECRET);
    const codes: string[] = [];
    for (let index = 0; index < 2; index++) {
      const sharing = await scene.share(SMALL, { identity: alice.shown, forPeer: "bob" });
      codes.push(sharing.operation.code);
      await sharing.operation.close();
    }
    // Version, kind and mapping class; then the hint.
    assert.notEqual(codes[0]!.slice(6, 12), codes[1]!.slice(6, 12));
    assert.notEqual(codes[0]!.slice(-6), codes[1]!.slice(-6));
  }));

Deno.test("a short code is refused without traffic by everybody else [CODE-7]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const [mallory, lost] = [
      await Person.make(scene.world.prng),
      await Person.make(scene.world.prng),
    ];
    // Remembers Alice, and nothing of the secret.
    await lost.remember("alice", alice.publicKey);
    const sharing = await scene.share(SMALL, { identity: alice.shown, forPeer: "bob" });
    const { code } = sharing.operation;
    const cases = [
      { identity: mallory.shown },
      { identity: lost.shown },
      {},
      // Knows the code and stays unknown.
      { identity: bob.hidden },
    ];
    for (const [index, options] of cases.entries()) {
      scene.bytesTo.clear();
      const receiving = scene.receive(code, { storage: new FakeStorage(), ...options });
      await receiving.over;
      const [error] = errorsOf(receiving);
      assert.equal(error!.code, index === 3 ? "usage" : "bad_code", JSON.stringify(error));
      assert.equal(scene.bytesTo.size, 0, "nothing was sent");
    }
    await sharing.operation.close();
  }));

Deno.test("the secret of a pair without the key of one of them opens nothing [CODE-8]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const thief = await Person.make(scene.world.prng);
    await thief.remember("bob", bob.publicKey, { pairSecret: SECRET });
    await thief.remember("alice", alice.publicKey, { pairSecret: SECRET });
    // As a client: knows P, and has another key than Bob.
    const sharing = await scene.share(SMALL, { identity: alice.shown, forPeer: "bob" });
    const stolen = scene.receive(sharing.operation.code, {
      identity: thief.shown,
      storage: new FakeStorage(),
    });
    await stolen.over;
    assert.deepEqual(errorsOf(stolen).map(({ code }) => code), ["authentication_failed"]);
    assert.ok(toldNothing(stolen));
    const told = sharing.events.filter((event) => event.event === "identity");
    assert.deepEqual(told.map(({ name, recognition }) => [name, recognition]), [
      ["bob", "other_key"],
    ]);
    assert.deepEqual(errorsOf(sharing).map(({ code, fatal }) => [code, fatal]), [
      ["authentication_failed", false],
    ]);
    await sharing.operation.close();
  }));

Deno.test("nothing is taken of a sharer who has the secret and not the key [CODE-8]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const evilKey = new Uint8Array(32).fill(3);
    const hint = new Uint8Array([1, 2, 3, 4]);
    const t = shortCodeT(nodeProvider, SECRET, { sharerKey: alice.publicKey, hint });
    // Shows another key, none, or one of another session.
    for (const says of ["other", "nobody", "replayed"] as const) {
      const { peer, code } = scene.evilSharer(t);
      const { candidates } = readCode(code);
      const short = encodeShortCode(nodeProvider, { hint, mappingClass: "unknown", candidates }, {
        sharerKey: alice.publicKey,
        pairSecret: SECRET,
      });
      const target = new FakeStorage();
      const receiving = scene.receive(short, { identity: bob.shown, storage: target });
      await peer.ready;
      await scene.sleep(100);
      // The client has said who it is: only somebody with the secret can hear that.
      assert.equal(peer.messages[0]!.type, "identity");
      const features = says === "nobody" ? 0 : FEATURE_IDENTITY;
      peer.say({ type: "hello", version: 1, features, text: "" });
      const handshakeHash = says === "replayed" ? new Uint8Array(32) : peer.handshakeHash;
      const secretKey = says === "replayed" ? await secretKeyOf(alice) : evilKey;
      if (says !== "nobody") {
        const scope = { role: "sharer", handshakeHash } as const;
        const statement = signIdentity(nodeProvider, secretKey, scope);
        peer.say({ type: "identity", statement });
      }
      await receiving.over;
      assert.deepEqual(errorsOf(receiving).map(({ code }) => code), ["authentication_failed"]);
      assert.ok(toldNothing(receiving));
    }
  }));

Deno.test("a sharer of a short code serves nobody who shows no identity, or another [CODE-8]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const sharing = await scene.share(SMALL, { identity: alice.shown, forPeer: "bob" });
    const pairs = [{ sharerKey: alice.publicKey, pairSecret: SECRET }];
    const options = { allowLoopback: false };
    const decoded = decodeShortCode(nodeProvider, sharing.operation.code, pairs, options);
    assert.ok(decoded.ok);
    const long = encodeShareCode(decoded.code);
    for (const says of ["nobody", "other", "replayed"] as const) {
      const features = says === "nobody" ? 0 : FEATURE_IDENTITY;
      const evil = scene.evilClient(long, encodeHello({ version: 1, features, text: "" }));
      await evil.ready;
      const secretKey = says === "replayed" ? await secretKeyOf(bob) : new Uint8Array(32).fill(9);
      const handshakeHash = says === "replayed" ? new Uint8Array(32) : evil.handshakeHash;
      const scope = { role: "client", handshakeHash } as const;
      if (says !== "nobody") {
        const statement = signIdentity(nodeProvider, secretKey, scope);
        evil.say({ type: "identity", statement });
      }
      const { code } = await evil.closed;
      assert.equal(code, ERRORS.authentication_failed.wire, says);
      assert.ok(evil.messages.every(({ type }) => type === "hello"));
    }
    await sharing.operation.close();
  }));

seededTest("a short code and a reply code bring two homes together", 4, async (seed) => {
  const meeting = new MeetingWorld(seed);
  await meeting.run(async () => {
    const { alice, bob } = await makePair(meeting.world.prng, SECRET);
    const from = await meeting.send(meeting.home(), { identity: alice.shown, forPeer: "bob" });
    const { code } = from.sharing;
    const to = meeting.receive(meeting.home(), code, { identity: bob.shown });
    from.sharing.addReply((await to.log.first("reply-code")).event.code);
    await assertMet(from, to);
    assert.deepEqual(from.log.of("identity").map(({ name }) => name), ["bob"]);
    assert.deepEqual(to.log.of("identity").map(({ name }) => name), ["alice"]);
  });
});

seededTest("a transfer by a short code that is lost goes on with the same two", 3, async (seed) => {
  const scene = new ReconnectScene(seed);
  await scene.run(async () => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const from = await scene.send({ identity: alice.shown, forPeer: "bob" });
    const to = scene.receive(from.sharing.code, { identity: bob.shown });
    await scene.reached(to, 2 * 1024 * 1024);
    scene.setLine(to, false);
    await to.log.first("reconnecting");
    scene.setLine(to, true);
    await assertArrived(from, to);
    // Both proved it anew: t alone says nothing of who is there.
    for (const { log } of [from, to]) {
      assert.equal(log.of("identity").length, log.of("connected").length);
    }
    assert.equal(to.log.of("connected").length, 2);
  });
});

Deno.test("who lost the secret is told so, and a whole code mends it [PAIR-1]", () =>
  play(async (scene) => {
    // Bob's program ended before it wrote what Alice's has written.
    const { alice, bob } = await makePair(scene.world.prng);
    await setSecret(alice, "bob", SECRET);
    const short = await scene.share(SMALL, { identity: alice.shown, forPeer: "bob" });
    const refused = scene.receive(short.operation.code, {
      identity: bob.shown,
      storage: new FakeStorage(),
    });
    await refused.over;
    const [error] = errorsOf(refused);
    assert.equal(error!.code, "bad_code");
    assert.match(error!.message, /wrong, or it is of nobody who is remembered here/);
    assert.match(error!.hint, /ask for a whole code: one of the two no longer remembers/);
    await short.operation.close();
    // Each has something else: the same.
    await setSecret(bob, "alice", new Uint8Array(32).fill(0x11));
    for (const [from, to, name] of [[alice, bob, "bob"], [bob, alice, "alice"]] as const) {
      const sharing = await scene.share(SMALL, { identity: from.shown, forPeer: name });
      const receiving = scene.receive(sharing.operation.code, {
        identity: to.shown,
        storage: new FakeStorage(),
      });
      await receiving.over;
      assert.deepEqual(errorsOf(receiving).map(({ code }) => code), ["bad_code"]);
      await sharing.operation.close();
    }
    const whole = await scene.share(SMALL, { readLimit: 1, identity: alice.shown });
    const receiving = scene.receive(whole.operation.code, {
      identity: bob.shown,
      storage: new FakeStorage(),
    });
    await Promise.all([whole.over, receiving.over]);
    const [kept, same] = [(await alice.peer("bob"))!, (await bob.peer("alice"))!];
    assert.notDeepEqual(kept.pairSecret, SECRET);
    assert.deepEqual(kept.pairSecret, same.pairSecret);
    const target = new FakeStorage();
    const again = await scene.share(SMALL, {
      readLimit: 1,
      identity: bob.shown,
      forPeer: "alice",
    });
    const taken = scene.receive(again.operation.code, { identity: alice.shown, storage: target });
    await Promise.all([again.over, taken.over]);
    assertComplete(taken, scene.source, target);
  }));

Deno.test("a session that does not end well leaves both as they were", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng, SECRET);
    const sharing = await scene.share(3_000_000, { readLimit: 1, identity: alice.shown });
    const receiving = scene.receive(sharing.operation.code, {
      identity: bob.shown,
      storage: new FakeStorage(),
    });
    await scene.sleep(600);
    assert.ok(!toldNothing(receiving));
    await Promise.all([sharing.operation.close(), receiving.operation.close()]);
    await Promise.all([sharing.over, receiving.over]);
    for (const peer of [await alice.peer("bob"), await bob.peer("alice")]) {
      assert.deepEqual(peer!.pairSecret, SECRET);
      assert.ok(peer!.lastSeenSeconds > peer!.firstSeenSeconds);
    }
  }));

/** The secret key of somebody's identity. */
async function secretKeyOf(person: Person): Promise<Uint8Array> {
  return (await person.store.read()).secretKey!;
}

/** Keeps a secret, as one side of a session does. */
async function setSecret(person: Person, name: string, pairSecret: Uint8Array): Promise<void> {
  await person.store.update((book) => {
    const peer = book.peers.find((peer) => peer.name === name)!;
    return { book: updatePeer(book, peer, { pairSecret }), result: undefined };
  });
}
