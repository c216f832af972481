/**
 * Goal: two who show identities know each other, whoever is in between does not, and what is kept of
 * a session is the same on both sides or of no use to anybody else.
 * Method: whole shares and receives in virtual time, with books of peers in memory.
 */
import assert from "node:assert/strict";
import { signIdentity } from "../../lib/crypto/identity.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { ERRORS, TransferError } from "../../lib/errors.ts";
import type { TransferEvent } from "../../lib/events.ts";
import type { ClientRequest, ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { FEATURE_IDENTITY } from "../../lib/transfer/messages.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import { EvilPeer } from "../support/evil_peer.ts";
import {
  assertComplete,
  errorsOf,
  EVIL_HOST,
  HostileScene,
  type Watched,
} from "../support/hostile_scene.ts";
import type { LinkOptions } from "../support/link.ts";
import { Prng } from "../support/prng.ts";
import { seededTest } from "../support/seeded_test.ts";
import { makePair, Person } from "../support/identity_people.ts";

const SMALL = 30_000;

/** A scene with a share; the receivers' files are in `target`. */
class IdentityScene extends HostileScene {
  readonly target = new FakeStorage();

  constructor(seed = 1, link?: LinkOptions) {
    super(seed, link);
  }

  /** Shares something small, for one client unless said otherwise. */
  offer(options: ShareOptions) {
    return this.share(SMALL, { readLimit: 1, ...options });
  }

  /** Receives it. */
  take(code: string, options: ReceiveOptions & { readonly storage?: FakeStorage } = {}) {
    return this.receive(code, { storage: this.target, ...options });
  }
}

function play(run: (scene: IdentityScene) => Promise<void>, seed = 1): Promise<void> {
  const scene = new IdentityScene(seed);
  return scene.run(() => run(scene));
}

function of<Name extends TransferEvent["event"]>(
  { events }: Watched<unknown>,
  name: Name,
): (TransferEvent & { event: Name })[] {
  return events.filter((event) => event.event === name) as (TransferEvent & { event: Name })[];
}

/** Names and recognitions of the identities that were told. */
function seen(watched: Watched<unknown>): [string | undefined, string][] {
  return of(watched, "identity").map(({ name, recognition }) => [name, recognition]);
}

/** Whether either side told of anything that is offered. */
function toldNothing(watched: Watched<unknown>): boolean {
  return (["offer", "progress", "file-done", "done", "text"] as const).every((name) =>
    of(watched, name).length === 0
  );
}

Deno.test("two who remember each other know each other, and keep a secret for short codes", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await Promise.all([sharing.over, receiving.over]);
    assertComplete(receiving, scene.source, scene.target);
    assert.deepEqual(seen(sharing), [["bob", "known"]]);
    assert.deepEqual(seen(receiving), [["alice", "known"]]);
    const [kept, same] = [(await alice.peer("bob"))!, (await bob.peer("alice"))!];
    assert.equal(kept.pairSecret?.length, 32);
    assert.deepEqual(kept.pairSecret, same.pairSecret);
    // Proved now, by the system's calendar; nobody is let in always by that.
    for (const peer of [kept, same]) {
      assert.ok(peer.lastSeenSeconds > peer.firstSeenSeconds);
      assert.equal(peer.isAlwaysAdmitted, false);
    }
    // Where it is told: who the client is before the offer, who the sharer is before it is decided.
    for (const { events } of [sharing, receiving]) {
      const names = events.map(({ event }) => event);
      assert.ok(names.indexOf("identity") < names.indexOf("offer"), names.join());
    }
  }));

seededTest("a statement that overtakes the end of the handshake waits for it", 30, async (seed) => {
  const scene = new IdentityScene(seed, { delayMs: 10, jitterMs: 20, jitterKind: "independent" });
  await scene.run(async () => {
    const { alice, bob } = await makePair(scene.world.prng);
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await Promise.all([sharing.over, receiving.over]);
    assertComplete(receiving, scene.source, scene.target);
    assert.deepEqual(seen(sharing), [["bob", "known"]]);
  });
});

Deno.test("somebody who shows nothing stays unknown, and is told who the other side is", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.hidden });
    await Promise.all([sharing.over, receiving.over]);
    assertComplete(receiving, scene.source, scene.target);
    assert.deepEqual([seen(sharing), seen(receiving)], [[], [["alice", "known"]]]);
    for (const peer of [await alice.peer("bob"), await bob.peer("alice")]) {
      assert.equal(peer!.pairSecret, undefined);
    }
  }));

Deno.test("a stranger is told as one, by a whole fingerprint, and nothing of him is kept", () =>
  play(async (scene) => {
    const [alice, bob] = [
      await Person.make(scene.world.prng),
      await Person.make(scene.world.prng),
    ];
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await Promise.all([sharing.over, receiving.over]);
    assert.deepEqual(of(sharing, "identity").map(({ session: _session, ...told }) => told), [{
      event: "identity",
      key: bob.publicKey.toHex(),
      fingerprint: bob.fingerprint,
      recognition: "stranger",
    }]);
    for (const { store } of [alice, bob]) assert.deepEqual((await store.read()).peers, []);
  }));

Deno.test("who is remembered during a session keeps the secret with it", () =>
  play(async (scene) => {
    const [alice, bob] = [
      await Person.make(scene.world.prng),
      await Person.make(scene.world.prng),
    ];
    const asked: ClientRequest[] = [];
    const sharing = await scene.offer({
      identity: alice.shown,
      admit: async (client) => {
        asked.push(client);
        await sharing.operation.remember(client.session, { name: "bob", always: true });
        return true;
      },
    });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await Promise.all([sharing.over, receiving.over]);
    assert.equal(asked[0]!.identity!.fingerprint, bob.fingerprint);
    const kept = (await alice.peer("bob"))!;
    assert.equal(kept.isAlwaysAdmitted, true);
    // The other side is remembered when all is done: the secret is still there for it.
    assert.deepEqual(await receiving.operation.remember("alice"), {
      name: "alice",
      lookAlikes: [],
    });
    assert.equal(kept.pairSecret?.length, 32);
    assert.deepEqual((await bob.peer("alice"))!.pairSecret, kept.pairSecret);
  }));

Deno.test("a name that has another key cannot be given to who is met", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const mallory = await Person.make(scene.world.prng);
    const sharing = await scene.offer({ identity: mallory.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await Promise.all([sharing.over, receiving.over]);
    await assert.rejects(
      receiving.operation.remember("alice"),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, "usage");
        assert.match(error.message, /"alice" has another key.*somebody who pretends to be them$/);
        assert.match(error.hint!, /by other means/);
        for (const { fingerprint } of [alice, mallory]) {
          assert.ok(error.message.includes(fingerprint), error.message);
        }
        return true;
      },
    );
    assert.deepEqual((await bob.peer("alice"))!.publicKey, alice.publicKey);
  }));

Deno.test("a receiver that expects somebody takes nothing of who is not, or does not say", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const mallory = await Person.make(scene.world.prng);
    for (const identity of [mallory.shown, alice.hidden, undefined]) {
      const sharing = await scene.offer(identity === undefined ? {} : { identity });
      const receiving = scene.take(sharing.operation.code, {
        identity: bob.shown,
        expectPeer: "alice",
      });
      await receiving.over;
      const [error] = errorsOf(receiving);
      assert.equal(error!.code, "authentication_failed", JSON.stringify(error));
      assert.match(error!.message, /"alice"/);
      assert.ok(toldNothing(receiving));
      const isImpostor = identity === mallory.shown;
      if (identity?.store === mallory.store) {
        assert.deepEqual(seen(receiving), [["alice", "other_key"]]);
        assert.match(error!.message, /new machine of theirs, or somebody who pretends to be them/);
        assert.match(error!.hint, /peers remove "alice"/);
      } else {
        assert.deepEqual([isImpostor, seen(receiving)], [false, []]);
      }
      assert.deepEqual(scene.target.paths("/"), []);
      await sharing.operation.close();
    }
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, {
      identity: bob.hidden,
      expectPeer: alice.fingerprint,
    });
    await receiving.over;
    assertComplete(receiving, scene.source, scene.target);
  }));

Deno.test("those who are allowed are let in without a question, others are asked about", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const [carol, dave] = [
      await Person.make(scene.world.prng),
      await Person.make(scene.world.prng),
    ];
    await alice.remember("carol", carol.publicKey, { isAlwaysAdmitted: true });
    // Not by its own fingerprint's beginning, nor by the name that Mallory would have.
    const asked: (string | undefined)[] = [];
    const sharing = await scene.share(SMALL, {
      identity: alice.shown,
      allow: ["bob"],
      admit: ({ identity }) => {
        asked.push(identity?.fingerprint);
        return Promise.resolve(false);
      },
    });
    for (const [person, isIn] of [[bob, true], [carol, true], [dave, false]] as const) {
      const target = new FakeStorage();
      const receiving = scene.take(sharing.operation.code, {
        identity: person.shown,
        storage: target,
      });
      await receiving.over;
      if (isIn) assertComplete(receiving, scene.source, target);
      else assert.deepEqual([toldNothing(receiving), seen(receiving)], [true, []]);
      assert.equal(of(receiving, "waiting").length, isIn ? 0 : 1);
    }
    assert.deepEqual(asked, [dave.fingerprint]);
    await sharing.operation.close();
  }));

Deno.test("a private share lets in those who are allowed, and nobody else without a paste", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const dave = await Person.make(scene.world.prng);
    const sharing = await scene.share(SMALL, {
      identity: alice.shown,
      private: true,
      // A stranger to the book, by the whole fingerprint.
      allow: [bob.fingerprint.toUpperCase().replaceAll("-", " ")],
    });
    const stranger = scene.take(sharing.operation.code, {
      identity: dave.shown,
      storage: new FakeStorage(),
    });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await receiving.over;
    assertComplete(receiving, scene.source, scene.target);
    await sharing.operation.close();
    await stranger.over;
    assert.deepEqual(of(stranger, "waiting").map(({ reason }) => reason), ["reply"]);
    assert.ok(toldNothing(stranger));
  }));

Deno.test("whom an option names must be known, whole, and once", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const identity = alice.shown;
    const refusals: [ShareOptions, RegExp][] = [
      [{ identity, allow: ["Bob"] }, /whom "Bob" means: nobody is remembered under that name/],
      [{ identity, allow: ["bοb"] }, /nobody is remembered/],
      [{ identity, allow: [bob.fingerprint.slice(0, 11)] }, /only the beginning of a fingerprint/],
      [{ identity, forPeer: "bob" }, /for "bob": the two of you keep no secret yet/],
      [{ identity: alice.hidden, forPeer: "bob" }, /without showing who shares/],
      [{ forPeer: "bob" }, /without showing who shares/],
      [{ allow: ["bob"] }, /nobody is remembered/],
    ];
    for (const [options, message] of refusals) {
      await assert.rejects(
        new IdentityScene().offer(options),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, "usage");
          assert.match(error.message, message);
          return true;
        },
      );
    }
    const receiving = scene.take("p2p1", { identity, expectPeer: "Bob" });
    await receiving.over;
    assert.deepEqual(errorsOf(receiving).map(({ code }) => code), ["usage"]);
  }));

Deno.test("who was sent away is not let in again under another key of the channel", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const sharing = await scene.share(3_000_000, { identity: alice.shown, allow: ["bob"] });
    const first = scene.take(sharing.operation.code, { identity: bob.shown });
    await scene.sleep(500);
    assert.deepEqual(sharing.operation.clients.map(({ identity }) => identity?.name), ["bob"]);
    assert.equal(sharing.operation.kick(1), true);
    await first.over;
    const again = scene.take(sharing.operation.code, { identity: bob.shown });
    await again.over;
    assert.deepEqual(errorsOf(again).map(({ code }) => code), ["refused"]);
    assert.ok(toldNothing(again));
    await sharing.operation.close();
  }));

for (const isIn of [false, true]) {
  const where = isIn ? "has been let in" : "asks to be let in";
  Deno.test(`who is sent away is so with every session of its key, where it ${where}`, () =>
    play(async (scene) => {
      const sharing = await scene.share(3_000_000, {
        admit: () => isIn ? scene.sleep(50).then(() => true) : new Promise<boolean>(() => {}),
      });
      const { code } = sharing.operation;
      // Its key is the first thing that it draws.
      const come = async (port: number, seed: number) => {
        const sources = [new Prng(seed)];
        const random = {
          fill: (bytes: Uint8Array) => (sources.pop() ?? scene.world.prng).fill(bytes),
        };
        const peer = EvilPeer.client(scene.bind(EVIL_HOST, port), code, random);
        await peer.ready;
        return peer;
      };
      const [first, second, other] = [
        await come(7001, 1),
        await come(7002, 1),
        await come(7003, 2),
      ];
      await scene.sleep(500);
      const state = isIn ? "admitted" : "asking";
      assert.deepEqual(
        sharing.operation.clients.map(({ session, state }) => [session, state]),
        [[1, state], [2, state], [3, state]],
      );
      assert.equal(sharing.operation.kick(1), true);
      for (const peer of [first, second, await come(7004, 1)]) {
        assert.equal((await peer.closed).code, ERRORS.refused.wire);
      }
      assert.deepEqual(sharing.operation.clients.map(({ session }) => session), [3]);
      assert.equal(other.of("offer").length, isIn ? 1 : 0);
      await sharing.operation.close();
    }));
}

Deno.test("what cannot be kept is told of, and the transfer is done all the same", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const sharing = await scene.offer({ identity: alice.shown });
    const receiving = scene.take(sharing.operation.code, { identity: bob.shown });
    await scene.sleep(30);
    bob.file.failure = new TransferError("disk_full", "Cannot write it: the disk is full");
    await Promise.all([sharing.over, receiving.over]);
    assertComplete(receiving, scene.source, scene.target);
    assert.deepEqual(of(receiving, "warning").map(({ code, message }) => [code, message]), [
      ["peer_not_kept", "Cannot write it: the disk is full"],
    ]);
  }));

Deno.test("who stands between the two cannot pass on what either proves [ID-1] [ID-2]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    // Alice's code was replaced by Mallory's on its way to Bob.
    const sharing = await scene.share(SMALL, { identity: alice.shown });
    const middle = scene.evilSharer();
    const receiving = scene.take(middle.code, { identity: bob.shown, expectPeer: "alice" });
    await middle.peer.ready;
    await scene.sleep(100);
    const [ofBob] = middle.peer.of("identity");
    const features = FEATURE_IDENTITY;
    const hello = encodeHello({ version: 1, features, text: "" });
    const forged = scene.evilClient(sharing.operation.code, hello);
    await forged.ready;
    forged.say(ofBob!);
    assert.equal((await forged.closed).code, ERRORS.authentication_failed.wire);
    assert.deepEqual(forged.messages.map(({ type }) => type), ["hello"]);
    assert.deepEqual(errorsOf(sharing).map(({ code, fatal }) => [code, fatal]), [
      ["authentication_failed", false],
    ]);
    assert.deepEqual(seen(sharing), []);
    // As himself, without an identity, he is let in, and hears what Alice proves.
    const guest = scene.evilClient(sharing.operation.code);
    await guest.ready;
    await scene.sleep(100);
    const [ofAlice] = guest.of("identity");
    middle.peer.say({ type: "hello", version: 1, features, text: "" }, ofAlice!);
    await receiving.over;
    assert.deepEqual(errorsOf(receiving).map(({ code }) => code), ["authentication_failed"]);
    assert.ok(toldNothing(receiving));
    await sharing.operation.close();
  }));

Deno.test("a statement of an earlier session is worth nothing in a later one [ID-2]", () =>
  play(async (scene) => {
    const { alice, bob } = await makePair(scene.world.prng);
    const secretKey = (await bob.store.read()).secretKey!;
    const sharing = await scene.share(SMALL, {
      identity: alice.shown,
      private: true,
      allow: ["bob"],
    });
    const hello = encodeHello({ version: 1, features: FEATURE_IDENTITY, text: "" });
    const first = scene.evilClient(sharing.operation.code, hello);
    await first.ready;
    const statement = signIdentity(nodeProvider, secretKey, {
      role: "client",
      handshakeHash: first.handshakeHash,
    });
    first.say({ type: "identity", statement });
    await scene.sleep(200);
    // There it is right: it lets him in.
    assert.equal(first.of("offer").length, 1);
    const second = scene.evilClient(sharing.operation.code, hello);
    await second.ready;
    second.say({ type: "identity", statement });
    assert.equal((await second.closed).code, ERRORS.authentication_failed.wire);
    await sharing.operation.close();
  }));
