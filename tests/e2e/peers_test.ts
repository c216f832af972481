/**
 * Goal: identities and peers are kept where documented, with the documented modes; nobody else can
 * read them without that being said; programs that change them at once, or are killed, lose nothing.
 * Method: the real program with exactly the documented permissions, and several processes over one
 * folder.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../lib/errors.ts";
import { openIdentities } from "../../lib/identities.ts";
import type { IdentityBook } from "../../lib/identity/identity_book.ts";
import { addPeer } from "../../lib/identity/named_peers.ts";
import { encodeKeyText } from "../../lib/identity/key_text.ts";
import { CliProcess } from "../support/cli_process.ts";
import { TempFolder } from "../support/temp_folder.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const IS_ROOT = !IS_WINDOWS && Deno.uid() === 0;
const WRITER = new URL("../support/_peer_writer.ts", import.meta.url).href;

/** A test of modes and owners, which Windows has none of. */
function unixTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: IS_WINDOWS ? `${name} (skipped: Windows has no modes)` : name,
    ignore: IS_WINDOWS,
    fn,
  });
}

/** Flags of `deno run` in the example of docs/cli.md, "Permissions", for one action. */
function documentedFlags(
  action: "list" | "add" | "rename" | "remove",
  folder: string,
): string[] {
  const document = Deno.readTextFileSync(new URL("../../docs/cli.md", import.meta.url));
  const section = document.slice(document.indexOf("\n## Permissions\n"));
  const flags = new RegExp(`deno run (.*) jsr:@p2pft/cli peers ${action} `).exec(section)![1]!;
  return flags.split(/\s+/).map((flag) => flag.replace(/=FOLDER$/, `=${folder}`));
}

/** Remembers some names in a folder; gives it. */
async function remember(folder: string, ...names: string[]): Promise<string> {
  await openIdentities(folder).update((book: IdentityBook) => {
    for (const [index, name] of names.entries()) {
      const added = addPeer(
        book,
        { name, publicKey: new Uint8Array(32).fill(index + 1) },
        1_800_000_000,
      );
      assert.ok(added.outcome === "added");
      book = added.book;
    }
    return { book, result: undefined };
  });
  return folder;
}

async function namesIn(folder: string): Promise<string[]> {
  return (await openIdentities(folder).read()).peers.map(({ name }) => name);
}

function modeOf(path: string): string {
  return (Deno.lstatSync(path).mode! & 0o7777).toString(8);
}

/** Runs the program to its end. */
async function run(args: string[], expectedExit: number, flags?: string[]): Promise<CliProcess> {
  const process = new CliProcess(["peers", ...args], flags === undefined ? {} : { flags });
  await using _ends = process;
  await process.expectExit(expectedExit);
  return process;
}

Deno.test("peers lists, renames and removes with exactly the documented permissions", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("home", "p2pft"), "alice", "bob");
  const at = ["--home", folder];
  const key = encodeKeyText(new Uint8Array(32).fill(9));
  const added = await run(["add", ...at, "carol", key], 0, documentedFlags("add", folder));
  assert.match(added.stderr, /^Remembered "carol" \(/);
  await run(["me", ...at], 2, documentedFlags("list", folder));
  const made = await run(["me", ...at, "--create"], 0, documentedFlags("add", folder));
  assert.match(made.stdout, /^Made a new key/);
  const shown = await run(["me", ...at], 0, documentedFlags("list", folder));
  assert.ok(made.stdout.endsWith(shown.stdout));
  const renamed = await run(
    ["rename", ...at, "alice", "Alice"],
    0,
    documentedFlags("rename", folder),
  );
  assert.match(renamed.stderr, /^"alice" is now "Alice" \(/);
  await run(["remove", ...at, "bob"], 0, documentedFlags("remove", folder));
  const listed = await run(["list", ...at, "--json"], 0, documentedFlags("list", folder));
  assert.equal(listed.stderr, "");
  assert.deepEqual(JSON.parse(listed.stdout).peers.map(({ name }: { name: string }) => name), [
    "Alice",
    "carol",
  ]);
});

Deno.test("peers names each permission that is missing, and changes nothing", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("p2pft"), "alice");
  for (const action of ["list", "rename", "remove"] as const) {
    const words = action === "list" ? [] : action === "rename" ? ["alice", "x"] : ["alice"];
    const flags = documentedFlags(action, folder);
    for (const missing of flags) {
      const rest = flags.filter((flag) => flag !== missing);
      const ended = await run([action, "--home", folder, "--json", ...words], 24, rest);
      const error = JSON.parse(ended.stdout);
      assert.equal(error.code, "permission_missing");
      assert.ok(error.message.includes(missing), error.message);
    }
  }
  assert.deepEqual(await namesIn(folder), ["alice"]);
});

Deno.test("peers finds its folder by the environment, and makes nothing to list", async () => {
  await using temp = await TempFolder.make();
  const folder = temp.at("elsewhere");
  const flags = [
    "--allow-env=P2PFT_HOME,XDG_DATA_HOME,HOME,LOCALAPPDATA",
    `--allow-read=${folder}`,
  ];
  const list = async (env: Record<string, string>) => {
    const process = new CliProcess(["peers", "list"], { flags, env });
    await using _ends = process;
    await process.expectExit(0);
    return process.stdout;
  };
  assert.equal(await list({ P2PFT_HOME: folder }), "Nobody is remembered.\n");
  await assert.rejects(Deno.lstat(folder), Deno.errors.NotFound);
  await remember(folder, "alice");
  assert.match(await list({ P2PFT_HOME: folder }), /^alice {2}/);
});

Deno.test("peers says that somebody is not known, and makes no folder for that", async () => {
  await using temp = await TempFolder.make();
  for (const words of [["remove", "alice"], ["rename", "alice", "x"]]) {
    const ended = await run([...words, "--home", temp.at("p2pft")], 2);
    assert.match(ended.stderr, /Cannot find the peer "alice"/);
  }
  await assert.rejects(Deno.lstat(temp.at("p2pft")), Deno.errors.NotFound);
});

unixTest("what is made has the documented modes, whatever the umask, and keeps them", async () => {
  await using temp = await TempFolder.make();
  for (const mask of ["000", "022", "077"]) {
    const folder = temp.at(mask);
    const script = `umask ${mask}; exec "$0" run -A --no-config ${WRITER} ${folder} p 3`;
    const { success } = await new Deno.Command("sh", {
      args: ["-c", script, Deno.execPath()],
      stdout: "null",
    }).output();
    assert.ok(success);
    assert.equal(modeOf(folder), "700");
    assert.equal(modeOf(`${folder}/identities`), "600");
    assert.equal(modeOf(`${folder}/identities.lock`), "600");
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assert.deepEqual(names, ["identities", "identities.lock"]);
  }
});

unixTest(
  "what others could read is refused with its mode and what to do, and left as it is",
  async () => {
    await using temp = await TempFolder.make();
    const folder = await remember(temp.at("p2pft"), "alice");
    const file = `${folder}/identities`;
    const before = await Deno.readTextFile(file);
    const cases: [string, number, RegExp][] = [
      [file, 0o644, /can read it \(mode 0644\)\n {2}Run: chmod 600 '/],
      [file, 0o640, /\(mode 0640\)/],
      [file, 0o602, /\(mode 0602\)/],
      [folder, 0o755, /can look into it \(mode 0755\)\n {2}Run: chmod 700 '/],
      [folder, 0o710, /\(mode 0710\)/],
    ];
    for (const [path, mode, message] of cases) {
      const usual = modeOf(path);
      Deno.chmodSync(path, mode);
      for (const words of [["list"], ["remove", "alice"]]) {
        const ended = await run([...words, "--home", folder], 10);
        assert.match(ended.stderr, message);
        assert.equal(ended.stdout, "");
      }
      assert.equal(modeOf(path), mode.toString(8));
      Deno.chmodSync(path, Number.parseInt(usual, 8));
    }
    assert.equal(await Deno.readTextFile(file), before);
  },
);

unixTest("links in the place of the folder or the file are refused, and not followed", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("real"), "alice");
  const before = await Deno.readTextFile(`${folder}/identities`);
  await Deno.symlink(folder, temp.at("link"));
  await Deno.mkdir(temp.at("other"), { mode: 0o700 });
  await Deno.symlink(`${folder}/identities`, temp.at("other", "identities"));
  for (const name of ["link", "other"]) {
    for (const words of [["list"], ["remove", "alice"]]) {
      const ended = await run([...words, "--home", temp.at(name)], 10);
      assert.match(ended.stderr, /a (?:file|folder) or a link, not a/);
    }
    await assert.rejects(remember(temp.at(name), "bob"), TransferError);
  }
  assert.equal(await Deno.readTextFile(`${folder}/identities`), before);
});

Deno.test("a file that is odd is named with its line, and left as it is", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("p2pft"), "alice");
  const file = `${folder}/identities`;
  const good = await Deno.readTextFile(file);
  const cases: [string, RegExp, number][] = [
    [`${good}{"peer":"x"}\n`, /line 3 has a key that is not 64/, 10],
    [good.slice(0, -1), /line 2 was cut off/, 10],
    [
      good.replace('"version":1', '"version":2'),
      /it is of version 2, this p2pft knows version 1/,
      7,
    ],
    ["x".repeat(1_048_577), /it has 1048577 bytes, more than the 1048576/, 10],
  ];
  for (const [text, message, exit] of cases) {
    await Deno.writeTextFile(file, text);
    for (const words of [["list"], ["remove", "alice"]]) {
      assert.match((await run([...words, "--home", folder], exit)).stderr, message);
    }
    assert.equal(await Deno.readTextFile(file), text);
  }
});

Deno.test("programs that write at once lose nothing of each other's, and readers see no half", async () => {
  await using temp = await TempFolder.make();
  const folder = temp.at("p2pft");
  const writers = ["a", "b", "c"].map((prefix) => startWriter(folder, prefix, 25));
  let isOver = false;
  const reading = (async () => {
    let reads = 0;
    while (!isOver) {
      await openIdentities(folder).read();
      reads++;
    }
    return reads;
  })();
  for (const writer of writers) assert.ok((await writer.output()).success);
  isOver = true;
  assert.ok(await reading > 10);
  const expected = ["a", "b", "c"].flatMap((prefix) =>
    Array.from({ length: 25 }, (_, index) => `${prefix} ${index}`)
  );
  assert.deepEqual((await namesIn(folder)).sort(), expected.sort());
});

Deno.test("two commands at once are both done", async () => {
  await using temp = await TempFolder.make();
  const names = ["a", "b", "c", "d"];
  const folder = await remember(temp.at("p2pft"), ...names);
  await Promise.all(names.map((name) => run(["rename", "--home", folder, name, `${name}2`], 0)));
  assert.deepEqual(await namesIn(folder), names.map((name) => `${name}2`));
});

Deno.test("a program that holds the lock for too long is named, and nothing is changed meanwhile", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("p2pft"), "alice");
  using lock = await Deno.open(`${folder}/identities.lock`, { write: true });
  await lock.lock(true);
  // Whoever only reads does not wait.
  await run(["list", "--home", folder], 0);
  const ended = await run(["remove", "alice", "--home", folder], 9);
  assert.match(
    ended.stderr,
    /another program has held \S+identities\.lock for 10 s\n {2}End the other/,
  );
  assert.deepEqual(await namesIn(folder), ["alice"]);
});

Deno.test("a program that is killed while it writes leaves a whole file and no lock", async () => {
  await using temp = await TempFolder.make();
  const folder = await remember(temp.at("p2pft"), "alice");
  for (let round = 0; round < 5; round++) {
    const writer = startWriter(folder, "w", 0);
    const reader = writer.stdout.getReader();
    // Once it has begun, it does nothing but change the file.
    assert.match(new TextDecoder().decode((await reader.read()).value), /begun/);
    await reader.cancel();
    writer.kill("SIGKILL");
    await writer.status;
    const names = await namesIn(folder);
    assert.equal(names[0], "alice");
    assert.ok(names.length <= 2);
    await openIdentities(folder).update((book) => ({
      book: { ...book, peers: book.peers.slice(0, 1) },
      result: undefined,
    }));
  }
  await run(["rename", "--home", folder, "alice", "bob"], 0);
  assert.deepEqual(await namesIn(folder), ["bob"]);
});

Deno.test({
  name: `a folder of another user is not written into${IS_ROOT ? "" : " (skipped: needs root)"}`,
  ignore: !IS_ROOT,
  fn: async () => {
    await using temp = await TempFolder.make();
    const folder = await remember(temp.at("p2pft"), "alice");
    await Deno.chown(folder, 12_345, 12_345);
    const ended = await run(["rename", "--home", folder, "alice", "bob"], 9);
    assert.match(ended.stderr, /the folder belongs to another user/);
    assert.deepEqual(await namesIn(folder), ["alice"]);
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assert.deepEqual(names, ["identities", "identities.lock"]);
  },
});

function startWriter(folder: string, prefix: string, count: number): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-config", WRITER, folder, prefix, `${count}`],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
