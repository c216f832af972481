/**
 * Goal: two who have identities know each other across runs of the program, meet by short codes, and
 * lose nothing of it to others; what is kept is in one folder, with the documented modes.
 * Method: whole transfers between real processes over loopback, each with a folder of identities of
 * its own and with exactly the permissions that it needs.
 */
import assert from "node:assert/strict";
import { openIdentities } from "../../lib/identities.ts";
import { CliProcess } from "../support/cli_process.ts";
import { codeOf, startReceive, startSend, startShare } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

const NETWORK = ["--unstable-net", "--allow-net", "--allow-sys=networkInterfaces"];

/** Somebody with a folder of identities and one for files. */
class Home {
  readonly folder: string;
  readonly files: string;

  constructor(temp: TempFolder, name: string) {
    this.folder = temp.at(name, "p2pft");
    this.files = temp.at(name, "files");
  }

  /** The words that name the folder. */
  get at(): string[] {
    return ["--home", this.folder];
  }

  /** What sharing a tree takes, and no more. */
  sends(tree: string): string[] {
    return [...NETWORK, `--allow-read=${tree},${this.folder}`, `--allow-write=${this.folder}`];
  }

  /** What receiving takes, and no more. */
  get receives(): string[] {
    const both = `${this.files},${this.folder}`;
    return [
      "--unstable-net",
      "--allow-net",
      "--allow-sys=networkInterfaces,statfs",
      "--allow-env=P2PFT_CODE",
      `--allow-read=${both}`,
      `--allow-write=${both}`,
    ];
  }

  /** Runs a command of `peers` with the permission for the folder and nothing else. */
  async peers(...words: string[]): Promise<string> {
    const process = new CliProcess(["peers", "--json", ...this.at, ...words], {
      flags: [`--allow-read=${this.folder}`, `--allow-write=${this.folder}`],
    });
    await using _ends = process;
    await process.expectExit(0);
    return process.stdout;
  }

  /** Makes a key; gives it as others add it. */
  async makeKey(): Promise<string> {
    return JSON.parse(await this.peers("me", "--create")).text;
  }

  /** What is kept of somebody. */
  async peer(name: string) {
    const { peers } = await openIdentities(this.folder).read();
    return peers.find((peer) => peer.name === name);
  }
}

/** Alice and Bob, who added each other by their keys, and a tree of Alice's. */
async function prepare(temp: TempFolder) {
  const [alice, bob] = [new Home(temp, "alice"), new Home(temp, "bob")];
  await makeTree(temp.at("source", "tree"), { files: 3, fileBytes: 20_000 });
  await alice.peers("add", "bob", await bob.makeKey());
  await bob.peers("add", "alice", await alice.makeKey());
  await temp.folder("bob", "files");
  return { alice, bob, tree: temp.at("source", "tree"), source: temp.at("source") };
}

function modeOf(path: string): string {
  return (Deno.lstatSync(path).mode! & 0o7777).toString(8);
}

Deno.test("two who added each other know each other, and use short codes from then on", async () => {
  await using temp = await TempFolder.make();
  const { alice, bob, tree, source } = await prepare(temp);
  const identity = ["--identity", ...alice.at];
  {
    await using sender = startSend([tree], { flags: alice.sends(tree), args: identity });
    await using receiver = startReceive(await codeOf(sender), bob.files, {
      flags: bob.receives,
      args: ["--identity", ...bob.at],
    });
    await receiver.expectExit(0);
    await sender.expectExit(0);
    assert.equal((await sender.event("identity")).name, "bob");
    assert.equal((await receiver.event("identity")).name, "alice");
    assert.deepEqual([sender.stderr, receiver.stderr], ["", ""]);
  }
  const [kept, same] = [await alice.peer("bob"), await bob.peer("alice")];
  assert.equal(kept!.pairSecret?.length, 32);
  assert.deepEqual(kept!.pairSecret, same!.pairSecret);
  if (Deno.build.os !== "windows") {
    for (const { folder } of [alice, bob]) {
      assert.equal(modeOf(folder), "700");
      assert.equal(modeOf(`${folder}/identities`), "600");
      assert.deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name).sort(), [
        "identities",
        "identities.lock",
      ]);
    }
  }
  await Deno.remove(`${bob.files}/tree`, { recursive: true });
  const forBob = ["--for", "bob", ...alice.at];
  await using sender = startSend([tree], { flags: alice.sends(tree), args: forBob });
  const code = await codeOf(sender);
  assert.ok(code.length <= 30, code);
  const stranger = new Home(temp, "stranger");
  await temp.folder("stranger", "files");
  await using other = startReceive(code, stranger.files, {
    flags: stranger.receives,
    args: ["--identity", ...stranger.at],
  });
  await other.expectExit(3);
  // A short code is word enough that Bob says who he is.
  await using receiver = startReceive(code, bob.files, { flags: bob.receives, args: bob.at });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(bob.files, source);
  assert.deepEqual((await alice.peer("bob"))!.pairSecret, kept!.pairSecret);
});

Deno.test("receive --from takes nothing of anybody else, and says what to do", async () => {
  await using temp = await TempFolder.make();
  const { bob, tree } = await prepare(temp);
  const mallory = new Home(temp, "mallory");
  const cases = [
    { args: ["--identity", ...mallory.at], message: /^The other side is not the "alice" who is/ },
    { args: [], message: /^Cannot be sure that the other side is "alice": it shows no identity/ },
  ];
  for (const { args, message } of cases) {
    await using sender = startSend([tree], { flags: mallory.sends(tree), args });
    await using receiver = startReceive(await codeOf(sender), bob.files, {
      flags: bob.receives,
      args: ["--from", "alice", ...bob.at],
    });
    await receiver.expectExit(6);
    const error = await receiver.event("error");
    assert.match(error.message, message);
    assert.deepEqual(Array.from(Deno.readDirSync(bob.files)), []);
  }
});

Deno.test("receive --remember gives a name to who sent, and refuses one with another key", async () => {
  await using temp = await TempFolder.make();
  const { alice, tree, source } = await prepare(temp);
  const carol = new Home(temp, "carol");
  await temp.folder("carol", "files");
  const receive = (code: string, name: string) =>
    startReceive(code, carol.files, {
      flags: carol.receives,
      args: ["--identity", "--remember", name, ...carol.at],
    });
  const sending = { flags: alice.sends(tree), args: ["--identity", ...alice.at] };
  await using sender = startSend([tree], sending);
  await using receiver = receive(await codeOf(sender), "alice");
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(carol.files, source);
  const kept = await carol.peer("alice");
  assert.equal(kept!.pairSecret?.length, 32);
  assert.equal(kept!.isAlwaysAdmitted, false);
  // Somebody else, under the same name.
  const mallory = new Home(temp, "mallory");
  await Deno.remove(`${carol.files}/tree`, { recursive: true });
  await using forger = startSend([tree], {
    flags: mallory.sends(tree),
    args: ["--identity", ...mallory.at],
  });
  await using refused = receive(await codeOf(forger), "alice");
  await refused.expectExit(2);
  const error = await refused.event("error");
  assert.match(error.message, /"alice" has another key.*somebody who pretends to be them$/);
  assert.match(error.hint, /peers remove "alice"/);
  assert.deepEqual(Array.from(Deno.readDirSync(carol.files)), []);
  assert.deepEqual(await carol.peer("alice"), kept);
});

Deno.test("share --private --allow lets in who is named, and nobody else", async () => {
  await using temp = await TempFolder.make();
  const { alice, bob, tree, source } = await prepare(temp);
  const stranger = new Home(temp, "stranger");
  await temp.folder("stranger", "files");
  await using sharer = startShare([tree], {
    flags: alice.sends(tree),
    args: ["--identity", "--private", "--allow", "bob", ...alice.at],
  });
  const code = await codeOf(sharer);
  await using other = startReceive(code, stranger.files, {
    flags: stranger.receives,
    args: ["--identity", ...stranger.at],
  });
  assert.equal((await other.event("waiting")).reason, "reply");
  await using receiver = startReceive(code, bob.files, {
    flags: bob.receives,
    args: ["--identity", ...bob.at],
  });
  await receiver.expectExit(0);
  await assertSameTree(bob.files, source);
  const admission = await sharer.event("admission");
  assert.deepEqual([admission.admitted, admission.by], [true, "identity"]);
  assert.deepEqual(Array.from(Deno.readDirSync(stranger.files)), []);
});

Deno.test("names that are not known are an error before anything else is done", async () => {
  await using temp = await TempFolder.make();
  const { alice, tree } = await prepare(temp);
  for (const args of [["--allow", "Bob"], ["--for", "carol"], ["--for", "bob"]]) {
    await using sender = startSend([tree], {
      flags: alice.sends(tree),
      args: [...args, ...alice.at],
    });
    await sender.expectExit(2);
    assert.match((await sender.event("error")).message, /^Cannot (tell whom|make a short code)/);
  }
});

Deno.test("identities need the folder of theirs, to read and to write, and nothing more", async () => {
  await using temp = await TempFolder.make();
  const { alice, bob, tree } = await prepare(temp);
  const flags = alice.sends(tree);
  for (const name of ["read", "write"]) {
    const without = flags.map((flag) =>
      flag.startsWith(`--allow-${name}=`) ? flag.replace(/,?[^,=]*p2pft$/, "") : flag
    ).filter((flag) => !flag.endsWith("="));
    for (const args of [["--identity"], ["--allow", "bob"], ["--for", "bob"]]) {
      await using sender = startSend([tree], { flags: without, args: [...args, ...alice.at] });
      await sender.expectExit(24);
      const { message } = await sender.event("error");
      assert.ok(message.includes(`--allow-${name}=${alice.folder}`), message);
    }
  }
  await using receiver = startReceive("p2p1", bob.files, {
    flags: bob.receives.map((flag) => flag.replace(`,${bob.folder}`, "")),
    args: ["--from", "alice", ...bob.at],
  });
  await receiver.expectExit(24);
});
