/**
 * Goal: a statement of identity counts once, at its place, for its session, and nothing else of a
 * session goes on where it is wrong, missing, late or repeated.
 * Method: both sides of a session against a peer that says what the test tells it to.
 */
import assert from "node:assert/strict";
import { type IdentityRole, signIdentity } from "../../../lib/crypto/identity.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { ClientExchange } from "../../../lib/transfer/client_exchange.ts";
import type { IdentityExchangeOptions } from "../../../lib/transfer/identity_exchange.ts";
import { encodeHello } from "../../../lib/transfer/message_encoder.ts";
import { FEATURE_IDENTITY, FEATURE_VERIFY, type Message } from "../../../lib/transfer/messages.ts";
import { FakeStorage } from "../../support/fake_storage.ts";
import { MemoryLink } from "../../support/memory_channel.ts";
import { Prng } from "../../support/prng.ts";
import { RawPeer } from "../../support/raw_peer.ts";
import { SenderAttack } from "../../support/sender_attack.ts";
import { reportEnd } from "../../support/transfer_pair.ts";

const HASH = new Uint8Array(32).fill(7);
const SECRETS: Record<IdentityRole, Uint8Array> = {
  client: new Uint8Array(32).fill(1),
  sharer: new Uint8Array(32).fill(2),
};
const LIST: Message = { type: "list", first: 0 };
const OFFER: Message = {
  type: "offer",
  entries: 0,
  files: 0,
  directories: 0,
  links: 0,
  bytes: 0,
};

function keyOf(role: IdentityRole): Uint8Array {
  return nodeProvider.signingKeyOf(SECRETS[role]);
}

/** A statement; a right one unless something else is asked for. */
function statementOf(role: IdentityRole, as: IdentityRole = role, hash = HASH): Message {
  const statement = signIdentity(nodeProvider, SECRETS[role], { role: as, handshakeHash: hash });
  return { type: "identity", statement };
}

function hello(features: number): Uint8Array {
  return encodeHello({ version: 1, features, text: "" });
}

/** Options of a side that shows who it is, and what it was told of the other one. */
function optionsOf(role: IdentityRole, more: Partial<IdentityExchangeOptions> = {}) {
  const told: Uint8Array[] = [];
  const options: IdentityExchangeOptions = {
    role,
    handshakeHash: HASH,
    sign: () => signIdentity(nodeProvider, SECRETS[role], { role, handshakeHash: HASH }),
    onIdentity: (publicKey) => {
      told.push(publicKey);
      return Promise.resolve();
    },
    ...more,
  };
  return { options, told };
}

/** A real sharer and an evil client that announced `features`. */
async function sharer(
  features: number,
  more: Partial<IdentityExchangeOptions> = {},
  admit?: () => Promise<boolean>,
) {
  const { options, told } = optionsOf("sharer", more);
  const attack = await new SenderAttack().start({
    identity: options,
    clientHello: hello(features),
    ...(admit === undefined ? {} : { admit }),
  });
  // What is on its way when a session ends does not arrive.
  await attack.settle();
  const heard = () => attack.peer.received.map(({ type }) => type);
  return { attack, told, heard };
}

/** A real client and an evil sharer. */
function client(more: Partial<IdentityExchangeOptions> = {}) {
  const { options, told } = optionsOf("client", more);
  const link = new MemoryLink(1);
  const peer = new RawPeer(link.left);
  const decided: number[] = [];
  const exchange = new ClientExchange({
    channel: link.right,
    storage: new FakeStorage(),
    crypto: nodeProvider,
    directory: "/into",
    identity: options,
    decide: ({ items }) => {
      decided.push(items);
      return Promise.resolve({ accept: true });
    },
    onEvent: () => {},
  });
  link.right.handler = exchange;
  reportEnd(link.right, exchange);
  exchange.start();
  const outcome = async () => {
    await link.run(exchange.forth.half.finished);
    return await exchange.forth.half.finished.then(() => "ok", (error) => {
      assert.ok(error instanceof TransferError);
      return error.code;
    });
  };
  const settle = () => link.run(exchange.forth.half.finished).catch(() => {});
  return { peer, told, decided, outcome, settle };
}

/** The HELLO of an evil sharer. */
function sharerHello(features: number): Message {
  return { type: "hello", version: 1, features, text: "" };
}

Deno.test("a sharer waits for an announced IDENTITY before it asks anybody [WHO-1]", async () => {
  let isAsked = false;
  const { attack, told, heard } = await sharer(FEATURE_IDENTITY, {}, () => {
    isAsked = true;
    return Promise.resolve(true);
  });
  await attack.settle();
  assert.deepEqual([isAsked, heard()], [false, ["hello"]]);
  attack.peer.say(statementOf("client"));
  await attack.settle();
  assert.deepEqual([isAsked, told], [true, [keyOf("client")]]);
  // Its own only once the client is in, and right before the offer.
  assert.deepEqual(heard(), ["hello", "pending", "identity", "offer"]);
  const [own] = attack.peer.of("identity");
  assert.deepEqual(own!.statement.subarray(0, 32), keyOf("sharer"));
});

Deno.test("a sharer shows no identity to a client that is turned away [WHO-3]", async () => {
  const answer = Promise.withResolvers<boolean>();
  const { attack, heard } = await sharer(FEATURE_IDENTITY, {}, () => answer.promise);
  attack.peer.say(statementOf("client"));
  await attack.settle();
  answer.resolve(false);
  assert.equal(await attack.outcome(), "refused");
  assert.deepEqual(heard(), ["hello", "pending"]);
});

Deno.test("a sharer without an identity announces and shows none", async () => {
  const { attack, heard } = await sharer(0, { sign: undefined });
  await attack.settle();
  assert.equal(attack.peer.of("hello")[0]!.features, 0);
  assert.deepEqual(heard(), ["hello", "offer"]);
});

Deno.test("a sharer ends with authentication_failed on every wrong statement [WHO-2] [ID-2]", async () => {
  const random = { type: "identity", statement: new Prng(3).bytes(96) } as const;
  const right = statementOf("client") as Message & { type: "identity" };
  const damaged = right.statement.slice();
  damaged[40]! ^= 1;
  const cases: Message[] = [
    random,
    { type: "identity", statement: new Uint8Array(96) },
    { type: "identity", statement: damaged },
    // Of another session, and the sharer's own, sent back.
    statementOf("client", "client", new Uint8Array(32).fill(8)),
    statementOf("sharer"),
    statementOf("client", "sharer"),
  ];
  for (const [index, message] of cases.entries()) {
    let isAsked = false;
    const { attack, told, heard } = await sharer(FEATURE_IDENTITY, {}, () => {
      isAsked = true;
      return Promise.resolve(true);
    });
    attack.peer.say(message);
    assert.equal(await attack.outcome(), "authentication_failed", `${index}`);
    assert.deepEqual([isAsked, told, heard()], [false, [], ["hello"]]);
  }
});

Deno.test("a sharer takes IDENTITY where it belongs, once, and nothing in front of it [WHO-1]", async () => {
  const cases: [string, number, readonly Message[]][] = [
    ["not announced", 0, [statementOf("client")]],
    ["twice", FEATURE_IDENTITY, [statementOf("client"), statementOf("client")]],
    ["behind LIST", FEATURE_IDENTITY, [LIST, statementOf("client")]],
    ["too late", 0, [LIST, statementOf("client")]],
  ];
  for (const [name, features, messages] of cases) {
    const { attack } = await sharer(features);
    for (const message of messages) attack.peer.say(message);
    assert.equal(await attack.outcome(), "protocol_violation", name);
  }
});

Deno.test("a sharer that knows nothing of identities takes none", async () => {
  const attack = await new SenderAttack().start({ clientHello: hello(FEATURE_IDENTITY) });
  attack.peer.say(statementOf("client"));
  assert.equal(await attack.outcome(), "protocol_violation");
});

Deno.test("a sharer that expects somebody ends when another one, or nobody, is shown [WHO-2]", async () => {
  const findProblem = (publicKey: Uint8Array | undefined) =>
    new TransferError("authentication_failed", publicKey === undefined ? "nobody" : "another");
  for (const features of [0, FEATURE_IDENTITY]) {
    const { attack, told, heard } = await sharer(features, { findProblem });
    if (features !== 0) attack.peer.say(statementOf("client"));
    assert.equal(await attack.outcome(), "authentication_failed");
    assert.deepEqual([told, heard().filter((type) => type !== "hello")], [[], []]);
  }
});

Deno.test("words and identities go together; the statement comes first", async () => {
  const { options, told } = optionsOf("sharer");
  const attack = await new SenderAttack().start({
    identity: options,
    clientHello: hello(FEATURE_IDENTITY | FEATURE_VERIFY),
    verification: { handshakeHash: HASH, random: new Prng(1) },
  });
  await attack.settle();
  assert.deepEqual(attack.peer.received.map(({ type }) => type), ["hello", "verify_commit"]);
  attack.peer.say(statementOf("client"));
  await attack.settle();
  assert.equal(attack.peer.of("offer").length, 0);
  attack.peer.say({ type: "verify_nonce", nonce: new Uint8Array(32) });
  await attack.settle();
  assert.equal(attack.peer.of("offer").length, 1);
  assert.deepEqual(told, [keyOf("client")]);
});

Deno.test("a client says who it is before anything else [WHO-1]", async () => {
  const { peer, settle } = client();
  await settle();
  assert.deepEqual(peer.received.map(({ type }) => type), ["identity", "list"]);
  const [own] = peer.of("identity");
  assert.deepEqual(own!.statement.subarray(0, 32), keyOf("client"));
});

Deno.test("a client is told who the sharer is before it decides", async () => {
  let isKnown = false;
  const { peer, decided, settle } = client({
    onIdentity: async () => {
      await Promise.resolve();
      isKnown = true;
    },
  });
  peer.say(sharerHello(FEATURE_IDENTITY));
  peer.say(statementOf("sharer"));
  peer.say(OFFER);
  await settle();
  assert.deepEqual([isKnown, decided], [true, [0]]);
});

Deno.test("a client ends with authentication_failed on every wrong statement [WHO-2] [ID-2]", async () => {
  const cases: Message[] = [
    { type: "identity", statement: new Prng(4).bytes(96) },
    statementOf("sharer", "sharer", new Uint8Array(32).fill(8)),
    statementOf("client"),
    statementOf("sharer", "client"),
  ];
  for (const [index, message] of cases.entries()) {
    const { peer, told, decided, outcome } = client();
    peer.say(sharerHello(FEATURE_IDENTITY));
    peer.say(message);
    peer.say(OFFER);
    assert.equal(await outcome(), "authentication_failed", `${index}`);
    assert.deepEqual([told, decided], [[], []]);
  }
});

Deno.test("a client takes IDENTITY right before OFFER, once, when it was announced [WHO-1]", async () => {
  const pending: Message = { type: "pending", reason: "admission" };
  const right = statementOf("sharer");
  const cases: [string, readonly Message[]][] = [
    ["not announced", [sharerHello(0), right]],
    ["before HELLO", [right]],
    ["missing", [sharerHello(FEATURE_IDENTITY), OFFER]],
    ["twice", [sharerHello(FEATURE_IDENTITY), right, right]],
    ["before PENDING", [sharerHello(FEATURE_IDENTITY), right, pending]],
    ["behind OFFER", [sharerHello(0), OFFER, right]],
  ];
  for (const [name, messages] of cases) {
    const { peer, outcome } = client();
    for (const message of messages) peer.say(message);
    assert.equal(await outcome(), "protocol_violation", name);
  }
});

Deno.test("a client that expects somebody takes nothing of another one, or of nobody [WHO-2]", async () => {
  const findProblem = () => new TransferError("authentication_failed", "not them");
  for (const features of [0, FEATURE_IDENTITY]) {
    const { peer, decided, outcome } = client({ findProblem });
    peer.say(sharerHello(features));
    if (features !== 0) peer.say(statementOf("sharer"));
    peer.say(OFFER);
    assert.equal(await outcome(), "authentication_failed");
    assert.deepEqual(decided, []);
  }
});

Deno.test("a book that cannot be read ends the session as what it is", async () => {
  const onIdentity = () => Promise.reject(new TransferError("read_failed", "no"));
  const { attack } = await sharer(FEATURE_IDENTITY, { onIdentity });
  attack.peer.say(statementOf("client"));
  assert.equal(await attack.outcome(), "read_failed");
});
