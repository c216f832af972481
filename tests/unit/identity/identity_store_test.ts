import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { EMPTY_BOOK } from "../../../lib/identity/identity_book.ts";
import { addPeer } from "../../../lib/identity/named_peers.ts";
import { IdentityStore, ownPublicKey } from "../../../lib/identity/identity_store.ts";
import { MemoryIdentityFile } from "../../support/memory_identity_file.ts";
import { keyOf } from "./_books.ts";

const NOW = 1_800_000_000;

function isError(code: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof TransferError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.match(error.hint, /left as it is/);
    return true;
  };
}

/** Adds one; gives whether it was new. */
async function add(store: IdentityStore, name: string, first: number): Promise<boolean> {
  return await store.update((book) => {
    const added = addPeer(book, { name, publicKey: keyOf(first) }, NOW);
    return added.outcome === "added" ? { book: added.book, result: true } : { result: false };
  });
}

Deno.test("IdentityStore gives an empty book when there is no file, and makes none", async () => {
  const file = new MemoryIdentityFile();
  assert.equal(await new IdentityStore(file).read(), EMPTY_BOOK);
  assert.equal(file.bytes, undefined);
});

Deno.test("IdentityStore keeps what it is given, and writes nothing when nothing changes", async () => {
  const file = new MemoryIdentityFile();
  const store = new IdentityStore(file);
  assert.equal(await add(store, "alice", 1), true);
  assert.equal(await add(store, "alice", 1), false);
  assert.equal(file.replacements, 1);
  assert.deepEqual((await new IdentityStore(file).read()).peers.map(({ name }) => name), ["alice"]);
});

Deno.test("changes of several stores over one file are all kept", async () => {
  const file = new MemoryIdentityFile();
  const names = Array.from({ length: 30 }, (_, index) => `peer ${index}`);
  await Promise.all(names.map((name, index) => add(new IdentityStore(file), name, index)));
  assert.deepEqual((await new IdentityStore(file).read()).peers.map(({ name }) => name), names);
});

Deno.test("a file that is odd or of a later version is an error that says so, and stays as it is", async () => {
  const cases: [string, string, RegExp][] = [
    ["hello\n", "read_failed", /^Cannot read memory\/identities: line 1 is not the first line/],
    [
      '{"format":"p2pft identities","version":1}\nx\n',
      "read_failed",
      /line 2 is not a JSON object/,
    ],
    [
      '{"format":"p2pft identities","version":3}\n',
      "version_mismatch",
      /of version 3, .* knows version 1/,
    ],
  ];
  for (const [text, code, message] of cases) {
    const file = new MemoryIdentityFile(text);
    const store = new IdentityStore(file);
    await assert.rejects(store.read(), isError(code, message));
    await assert.rejects(add(store, "alice", 1), isError(code, message));
    await assert.rejects(store.ownKey({ fill: () => {} }), isError(code, message));
    assert.equal(file.text, text);
    assert.equal(file.replacements, 0);
  }
});

Deno.test("a change that throws leaves the file as it is, and the next one goes on", async () => {
  const file = new MemoryIdentityFile();
  const store = new IdentityStore(file);
  await add(store, "alice", 1);
  await assert.rejects(
    store.update(() => {
      throw new RangeError("no");
    }),
    RangeError,
  );
  assert.equal(await add(store, "bob", 2), true);
  assert.equal(file.replacements, 2);
});

Deno.test("ownKey makes an identity once, and everybody gets the same", async () => {
  const file = new MemoryIdentityFile();
  let next = 1;
  const random = { fill: (out: Uint8Array) => void out.fill(next++) };
  assert.equal(ownPublicKey(nodeProvider, await new IdentityStore(file).read()), undefined);
  const keys = await Promise.all(
    Array.from({ length: 5 }, () => new IdentityStore(file).ownKey(random)),
  );
  for (const key of keys) assert.deepEqual(key, new Uint8Array(32).fill(1));
  assert.equal(file.replacements, 1);
  const book = await new IdentityStore(file).read();
  assert.deepEqual(ownPublicKey(nodeProvider, book), nodeProvider.signingKeyOf(keys[0]!));
});
