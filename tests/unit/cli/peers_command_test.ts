import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { TransferError } from "../../../lib/errors.ts";
import { fingerprintOf } from "../../../lib/identity/fingerprint.ts";
import type { IdentityBook } from "../../../lib/identity/identity_book.ts";
import { formatIdentityFile } from "../../../lib/identity/identity_file.ts";
import { IdentityStore, ownPublicKey } from "../../../lib/identity/identity_store.ts";
import { encodeKeyText } from "../../../lib/identity/key_text.ts";
import { parseArguments } from "../../../lib/cli/arguments.ts";
import { permissionFlags, permissionNeeds } from "../../../lib/cli/permissions.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import { MemoryIdentityFile } from "../../support/memory_identity_file.ts";
import { keyOf, peerOf } from "../identity/_books.ts";
import { FakeStreams, fakeWorld } from "./_fake_world.ts";

const SECRET = keyOf(0xab);
const PAIR_SECRET = keyOf(0xcd);
const BOOK: IdentityBook = {
  secretKey: SECRET,
  peers: [
    peerOf("alice", 1, { pairSecret: PAIR_SECRET, isAlwaysAdmitted: true }),
    peerOf("李雷", 2),
  ],
};
const OWN = fingerprintOf(nodeProvider, ownPublicKey(nodeProvider, BOOK)!);
const OWN_TEXT = encodeKeyText(ownPublicKey(nodeProvider, BOOK)!);
const [ALICE, LI] = BOOK.peers.map(({ publicKey }) => fingerprintOf(nodeProvider, publicKey));

async function run(args: string[], book: IdentityBook | undefined = BOOK) {
  const streams = new FakeStreams();
  const file = new MemoryIdentityFile(formatIdentityFile(book));
  const folders: string[] = [];
  const world = fakeWorld({
    streams,
    // It does without the socket.
    hasSocket: false,
    env: { P2PFT_HOME: "/srv/identities" },
    openIdentities: (folder) => {
      folders.push(folder);
      return Promise.resolve(new IdentityStore(file));
    },
  });
  const exit = await runProgram(["peers", ...args], world);
  const names = (await new IdentityStore(file).read()).peers.map(({ name }) => name);
  return { exit, output: streams.output, error: streams.error, file, names, folders };
}

Deno.test("peers list shows who is remembered, and nothing secret", async () => {
  const { exit, output, error, file } = await run(["list"]);
  assert.equal(exit, 0);
  assert.equal(
    output,
    `You: ${OWN}\n` +
      `alice  ${ALICE}  last seen 2025-06-15  always let in  short codes\n` +
      `李雷   ${LI}  last seen 2025-06-15\n`,
  );
  assert.equal(error, "");
  assert.equal(file.replacements, 0);
});

Deno.test("peers list --json is one line, and nothing secret is in it", async () => {
  const { exit, output, error } = await run(["list", "--json"]);
  assert.deepEqual([exit, error, output.match(/\n/g)!.length], [0, "", 1]);
  const { own, peers, ...rest } = JSON.parse(output);
  assert.deepEqual(rest, { v: 1, event: "peers" });
  assert.deepEqual(Object.keys(own), ["key", "fingerprint"]);
  assert.deepEqual(peers[0], {
    name: "alice",
    key: BOOK.peers[0]!.publicKey.toHex(),
    fingerprint: ALICE,
    firstSeen: "2023-11-14T22:13:20Z",
    lastSeen: "2025-06-15T15:06:40Z",
    always: true,
    shortCodes: true,
  });
  for (const secret of [SECRET, PAIR_SECRET]) assert.ok(!output.includes(secret.toHex()));
});

Deno.test("peers list says that nobody is remembered", async () => {
  assert.equal((await run(["list"], { peers: [] })).output, "Nobody is remembered.\n");
  assert.equal(
    (await run(["list", "--json"], { peers: [] })).output,
    '{"v":1,"event":"peers","peers":[]}\n',
  );
});

Deno.test("peers rename gives another name, by name or fingerprint, and warns of one that is alike", async () => {
  const renamed = await run(["rename", "alice", "Alice B."]);
  assert.equal(renamed.exit, 0);
  assert.deepEqual(renamed.names, ["Alice B.", "李雷"]);
  assert.equal(renamed.output, "");
  assert.equal(renamed.error, `"alice" is now "Alice B." (${ALICE})\n`);
  const alike = await run(["rename", LI!.slice(0, 7), "аlice"]); // a Cyrillic a
  assert.deepEqual(alike.names, ["alice", "аlice"]);
  assert.match(alike.error, /^Warning: "аlice" could be taken for "alice"\n/);
  const quiet = await run(["--quiet", "rename", LI!, "alicе"]); // a Cyrillic e
  assert.match(quiet.error, /^Warning: .*\n$/);
  const json = await run(["rename", "--json", "李雷", "Alice"]);
  const { event, from, peer, lookAlikes } = JSON.parse(json.output);
  assert.deepEqual([event, from, peer.name, lookAlikes], ["peer-renamed", "李雷", "Alice", [
    "alice",
  ]]);
});

Deno.test("peers rename takes a name however it is composed", async () => {
  const { names } = await run(["rename", "alice", "Zoe\u0308"]);
  assert.deepEqual(names, ["Zoë", "李雷"]);
});

Deno.test("peers remove forgets one and all that was kept of it", async () => {
  const { exit, names, error, file } = await run(["remove", "alice"]);
  assert.deepEqual([exit, names, error], [0, ["李雷"], `Forgot "alice" (${ALICE})\n`]);
  assert.ok(!file.text!.includes(PAIR_SECRET.toHex()));
  const json = JSON.parse((await run(["remove", "--json", "alice"])).output);
  assert.deepEqual([json.event, json.peer.name], ["peer-removed", "alice"]);
  assert.deepEqual((await run(["forget", "alice"])).names, ["李雷"]);
});

Deno.test("peers me shows one's own fingerprint and key, and nothing secret", async () => {
  const { exit, output, error, file } = await run(["me"]);
  assert.deepEqual([exit, error, file.replacements], [0, "", 0]);
  assert.equal(
    output,
    `Your fingerprint:  ${OWN}\nYour key:          ${OWN_TEXT}\n` +
      "Others remember you with: p2pft peers add NAME KEY\n",
  );
  const json = await run(["me", "--json"]);
  assert.deepEqual(JSON.parse(json.output), {
    v: 1,
    event: "own-identity",
    key: ownPublicKey(nodeProvider, BOOK)!.toHex(),
    fingerprint: OWN,
    text: OWN_TEXT,
    created: false,
  });
  for (const text of [output, json.output]) assert.ok(!text.includes(SECRET.toHex()));
});

Deno.test("peers me --create makes a key once, and keeps the one that is there", async () => {
  const made = await run(["me", "--create"], { peers: BOOK.peers });
  assert.deepEqual([made.exit, made.file.replacements], [0, 1]);
  assert.match(made.output, /^Made a new key\. It stays on this machine\.\nYour fingerprint: /);
  assert.deepEqual(made.names, ["alice", "李雷"]);
  const { secretKey } = await new IdentityStore(made.file).read();
  const text = encodeKeyText(nodeProvider.signingKeyOf(secretKey!));
  assert.ok(made.output.includes(`${text}\n`));
  const kept = await run(["me", "--create", "--json"]);
  assert.deepEqual([kept.file.replacements, JSON.parse(kept.output).created], [0, false]);
});

Deno.test("peers add remembers somebody by the key that peers me prints there", async () => {
  const text = encodeKeyText(keyOf(7));
  // As it comes out of a message: broken, in capitals.
  const copied = `${text.slice(0, 20)}\n ${text.slice(20).toUpperCase()}`;
  const { exit, names, output, error, file } = await run(["add", "Zoe\u0308", copied]);
  const fingerprint = fingerprintOf(nodeProvider, keyOf(7));
  assert.deepEqual([exit, output, error], [0, "", `Remembered "Zoë" (${fingerprint})\n`]);
  assert.deepEqual([names, file.replacements], [["alice", "李雷", "Zoë"], 1]);
  const again = await run(["add", "alice", encodeKeyText(keyOf(1))]);
  assert.deepEqual([again.exit, again.file.replacements], [0, 0]);
  assert.equal(again.error, `"alice" (${ALICE}) was remembered already\n`);
  const alike = JSON.parse((await run(["add", "--json", "Alice", text])).output);
  assert.deepEqual(
    [alike.event, alike.isNew, alike.peer.name, alike.peer.always, alike.lookAlikes],
    ["peer-added", true, "Alice", false, ["alice"]],
  );
});

Deno.test("peers says what is wrong, changes nothing and exits with 2", async () => {
  const twins = {
    peers: [peerOf("one", 1), { ...peerOf(ALICE!.slice(0, 5), 2) }],
  };
  const cases: [string[], IdentityBook, RegExp][] = [
    [["rename", "carol", "x"], BOOK, /Cannot find the peer "carol": nobody of that name/],
    [["remove", "al\u001b[2Jice"], BOOK, /Cannot find the peer "al\\u\{1b\}\[2Jice"/],
    [["rename", "alice", "李雷"], BOOK, /Cannot call the peer "李雷": another one is called so/],
    [["rename", "alice", ""], BOOK, /the name is empty/],
    [["rename", "alice", "x\u202ey"], BOOK, /"x\\u\{202e\}y": the name has characters/],
    [["remove", ALICE!.slice(0, 5)], twins, /it could be "one" \(.*\) or "/],
    [[], BOOK, /No command was given/],
    [["rename", "alice"], BOOK, /[Mm]issing required argument 'name'/],
    [["list", "more"], BOOK, /[Tt]oo many arguments/],
    [["forgive", "alice"], BOOK, /[Uu]nknown command 'forgive'/],
    [["me"], { peers: [] }, /Cannot show your key: there is none yet/],
    [["add", "alice", encodeKeyText(keyOf(7))], BOOK, /"alice" has another key.*pretends to be/],
    [["add", "al", encodeKeyText(keyOf(1))], BOOK, /as "al": it is remembered as "alice"/],
    [["add", "me too", OWN_TEXT], BOOK, /Cannot remember "me too": the key is your own/],
    [["add", "carol", OWN_TEXT.slice(0, -1)], BOOK, /Cannot read the key: /],
    [["add", "-x", encodeKeyText(keyOf(7))], BOOK, /[Uu]nknown option '-x'/],
    [["add", "carol"], BOOK, /[Mm]issing required argument 'key'/],
  ];
  for (const [args, book, message] of cases) {
    const { exit, error, output, file } = await run(args, book);
    assert.equal(exit, 2, `${args}: ${error}`);
    assert.match(error, message);
    assert.equal(output, "");
    assert.equal(file.replacements, 0);
    assert.equal(error.match(/\n/g)!.length, 2, error);
  }
});

Deno.test("peers reports an error of the file with its exit status, for people and programs", async () => {
  for (const json of [true, false]) {
    const streams = new FakeStreams();
    const world = fakeWorld({
      streams,
      env: { P2PFT_HOME: "/srv/p" },
      openIdentities: () =>
        Promise.reject(
          new TransferError("read_failed", "Cannot use /srv/p: odd", { hint: "Do x" }),
        ),
    });
    assert.equal(await runProgram(["peers", "list", ...json ? ["--json"] : []], world), 10);
    if (json) assert.equal(JSON.parse(streams.output).code, "read_failed");
    else assert.equal(streams.error, "Error: Cannot use /srv/p: odd\n  Do x\n");
  }
});

Deno.test("peers looks in the folder of --home, and else where the environment says", async () => {
  assert.deepEqual((await run(["list"])).folders, ["/srv/identities"]);
  assert.deepEqual((await run(["list", "--home", "/mine"])).folders, ["/mine"]);
  assert.deepEqual((await run(["--home", "/mine", "list"])).folders, ["/mine"]);
  const streams = new FakeStreams();
  assert.equal(await runProgram(["peers", "list"], fakeWorld({ streams })), 2);
  assert.match(
    streams.error,
    /Cannot tell in which folder .*\n {2}Name it with --home, or run with --allow-env=P2PFT_HOME,/,
  );
});

Deno.test("peers needs to read its folder only, and to write it only to change it", () => {
  const flags = (...args: string[]) => {
    const parsed = parseArguments(["peers", ...args], { version: "0", columns: 80 });
    assert.ok(parsed.command === "peers");
    return permissionFlags(permissionNeeds(parsed, "/f"));
  };
  const env = "--allow-env=P2PFT_HOME,XDG_DATA_HOME,HOME,LOCALAPPDATA";
  assert.deepEqual(flags("list"), [env, "--allow-read=/f"]);
  assert.deepEqual(flags("remove", "a"), [env, "--allow-read=/f", "--allow-write=/f"]);
  assert.deepEqual(flags("list", "--home", "/f"), ["--allow-read=/f"]);
  assert.deepEqual(flags("me", "--home", "/f"), ["--allow-read=/f"]);
  for (const args of [["me", "--create"], ["add", "a", "k"], ["forget", "a"]]) {
    assert.deepEqual(flags(...args, "--home", "/f"), ["--allow-read=/f", "--allow-write=/f"]);
  }
  assert.deepEqual(flags("rename", "a", "b", "--home", "/f"), [
    "--allow-read=/f",
    "--allow-write=/f",
  ]);
});

Deno.test("peers names the permission that is missing, and no socket", async () => {
  const streams = new FakeStreams();
  const world = fakeWorld({
    streams,
    hasSocket: false,
    granted: ({ name }) => name !== "write",
  });
  assert.equal(await runProgram(["peers", "remove", "a", "--home", "/f"], world), 24);
  assert.match(streams.error, /missing permission to write \/f \(--allow-write=\/f\)/);
  assert.match(
    streams.error,
    /Run: deno run --allow-read=\/f --allow-write=\/f jsr:\S+ peers remove a --home \/f\n/,
  );
});
