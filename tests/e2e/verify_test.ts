/**
 * Goal: what `receive --manifest` writes is true and of use to others: `sha256sum -c` agrees with it,
 * `verify` finds every file that changed, and what `sha256sum` writes is verified as well.
 * Method: whole transfers and commands between processes, with exactly the documented permissions;
 * the real `sha256sum` where there is one.
 */
import assert from "node:assert/strict";
import { parseManifest } from "../../mod.ts";
import { CliProcess } from "../support/cli_process.ts";
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { makeTree } from "../support/tree.ts";

/** Why the real program cannot be asked; empty when it can. */
const NO_SHA256SUM = await missingSha256sum();

async function missingSha256sum(): Promise<string> {
  try {
    const { stdout } = await new Deno.Command("sha256sum", { args: ["--version"] }).output();
    const isGnu = new TextDecoder().decode(stdout).includes("GNU coreutils");
    return isGnu ? "" : " (skipped: this sha256sum is not of GNU coreutils)";
  } catch {
    return " (skipped: there is no sha256sum)";
  }
}

/** A test that needs the real `sha256sum`. */
function withSha256sum(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + NO_SHA256SUM, ignore: NO_SHA256SUM !== "", fn });
}

/** Runs `sha256sum` in a folder; gives its exit status and what it printed. */
async function sha256sum(cwd: string, ...args: string[]): Promise<[number, string]> {
  const env = { LC_ALL: "C.UTF-8" };
  const { code, stdout, stderr } = await new Deno.Command("sha256sum", { args, cwd, env }).output();
  return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
}

/** Flags of `deno run` in an example of docs/cli.md, "Permissions". */
function documentedFlags(folder: string, command: "verify" | "receive" = "verify"): string[] {
  const document = Deno.readTextFileSync(new URL("../../docs/cli.md", import.meta.url))
    .replaceAll("\\\n", " ");
  const section = document.slice(document.indexOf("\n## Permissions\n"));
  const flags = new RegExp(`deno run (.*) jsr:@p2pft/cli ${command} `).exec(section)![1]!;
  return flags.trim().split(/\s+/).map((flag) => flag.replace(/=(?:FOLDER|OUT)$/, `=${folder}`));
}

function startVerify(folder: string, args: readonly string[]): CliProcess {
  return new CliProcess(["verify", "--json", ...args], { flags: documentedFlags(folder) });
}

/** Receives `paths` into `inbox` with a manifest in it. */
async function receiveWithManifest(
  paths: readonly string[],
  inbox: string,
  {
    exit = 0,
    manifest = `${inbox}/SHA256SUMS`,
    args = [] as readonly string[],
    flags = documentedFlags(inbox, "receive"),
  } = {},
): Promise<CliProcess> {
  await using sender = startSend(paths);
  const options = { args: ["--manifest", manifest, ...args], flags };
  const receiver = startReceive(await codeOf(sender), inbox, options);
  await using _ends = receiver;
  await receiver.expectExit(exit);
  return receiver;
}

withSha256sum("a manifest is one that sha256sum -c --strict finds right", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 40, fileBytes: 30_000 });
  await Deno.writeFile(temp.at("source", "tree", "large"), new Uint8Array(3_000_001).fill(7));
  // Names that sha256sum takes for something else when they are written as they are.
  for (const name of ["-", "#", "# size 1", "*", " *"]) {
    await Deno.writeTextFile(temp.at("source", name), name);
  }
  const names = ["tree", "-", "#", "# size 1", "*", " *"].map((name) => temp.at("source", name));
  const inbox = temp.at("inbox");
  const receiver = await receiveWithManifest(names, inbox);
  const written = await receiver.event("manifest");
  const listed = parseManifest(await Deno.readFile(`${inbox}/SHA256SUMS`));
  const done = receiver.eventsNamed("file-done");
  assert.equal(listed.length, done.length);
  assert.deepEqual(
    [written.files, written.bytes, written.path],
    [done.length, (await receiver.event("done")).bytes, `${inbox}/SHA256SUMS`],
  );
  const roots = new Map(done.map(({ path, root }) => [path, root]));
  for (const { path, root, sizeBytes } of listed) {
    assert.equal(root, roots.get(path), path);
    assert.equal(sizeBytes, (await Deno.stat(`${inbox}/${path}`)).size);
  }
  const [code, output] = await sha256sum(inbox, "-c", "--strict", "SHA256SUMS");
  assert.equal(code, 0, output);
  assert.equal(output.match(/: OK$/gm)!.length, done.length);

  await using verifying = startVerify(inbox, ["--manifest", `${inbox}/SHA256SUMS`]);
  await verifying.expectExit(0);
  assert.equal((await verifying.event("verified")).good, done.length);
  assert.deepEqual(
    verifying.eventsNamed("file-done").map(({ path }) => path),
    listed.map((f) => f.path),
  );
});

Deno.test("verify names a damaged byte, a missing file and another size, with only the documented permission", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("tree"), { files: 10, fileBytes: 3_000_000 });
  const inbox = temp.at("inbox");
  await receiveWithManifest([temp.at("tree")], inbox);
  const manifest = `${inbox}/SHA256SUMS`;
  const files = parseManifest(await Deno.readFile(manifest)).filter((file) => file.sizeBytes! > 9);
  const [damaged, gone, longer] = files.map((file) => file.path);
  const file = await Deno.open(`${inbox}/${damaged}`, { read: true, write: true });
  await file.seek(2_500_000, Deno.SeekMode.Start);
  const byte = new Uint8Array(1);
  await file.read(byte);
  await file.seek(2_500_000, Deno.SeekMode.Start);
  await file.write(Uint8Array.of(byte[0]! ^ 0x10));
  file.close();
  await Deno.remove(`${inbox}/${gone}`);
  await Deno.writeFile(`${inbox}/${longer}`, Uint8Array.of(1), { append: true });
  await Deno.writeTextFile(`${inbox}/extra`, "not counted");

  await using json = startVerify(inbox, ["--manifest", manifest]);
  await json.expectExit(11);
  assert.deepEqual(
    json.eventsNamed("warning").map(({ code, path }) => [code, path]),
    [["damaged", damaged], ["missing", gone], ["resized", longer]],
  );
  const { files: count, good, missing, damaged: damagedCount } = await json.event("verified");
  assert.deepEqual([count - good, missing, damagedCount], [3, 1, 2]);
  assert.equal(json.events.at(-1)!.event, "verified");

  await using text = new CliProcess(["verify", "--manifest", manifest, inbox], {
    flags: documentedFlags(inbox),
  });
  await text.expectExit(11);
  assert.match(
    text.stderr,
    /\nError: Not all files are as they were: 2 damaged, 1 missing\n {2}\S/,
  );
  // One file alone.
  const words = ["--manifest", manifest, `${inbox}/${damaged}`];
  await using one = new CliProcess(["verify", "--json", ...words], {
    flags: [`--allow-read=${inbox}/${damaged},${manifest}`],
  });
  await one.expectExit(11);
  assert.equal((await one.event("verified")).files, 1);
});

Deno.test("verify names each permission that is missing, with the flag", async () => {
  await using temp = await TempFolder.make();
  const [folder, other] = [await temp.folder("in"), await temp.folder("other")];
  await Deno.writeTextFile(`${folder}/SUMS`, `${"0".repeat(64)}  a\n`);
  const words = ["verify", "--json", "--manifest", `${folder}/SUMS`, other];
  for (const [granted, missing] of [[`${folder}/SUMS`, other], [other, `${folder}/SUMS`]]) {
    await using process = new CliProcess(words, { flags: [`--allow-read=${granted}`] });
    await process.expectExit(24);
    const error = await process.event("error");
    assert.equal(error.code, "permission_missing");
    assert.ok(error.message.includes(`--allow-read=${missing}`), error.message);
    assert.ok(error.hint.includes(`--allow-read=${folder}/SUMS,${other}`), error.hint);
    assert.ok(!error.hint.includes("--unstable-net"), error.hint);
  }
});

withSha256sum("verify reads what sha256sum writes, whatever the names", async () => {
  await using temp = await TempFolder.make();
  const folder = await temp.folder("in");
  // Escaped by sha256sum, and not used as paths by verify: these lead nowhere.
  const escaped = ["back\\slash", "line\nfeed", "car\rriage"];
  const odd = [" leading", "trailing ", "-", "#", "*star", "ünïcode", "a  b", "it's", "\\u{202e}"]
    .map((name) => name.replace("\\u{202e}", "x\u202ey"));
  for (const name of [...odd, ...escaped]) await Deno.writeTextFile(`${folder}/${name}`, name);
  for (const mode of ["--text", "--binary"]) {
    const [, list] = await sha256sum(folder, mode, "--", ...odd.map((name) => `./${name}`));
    await Deno.writeTextFile(`${folder}/list`, list);
    await using process = startVerify(folder, ["--manifest", `${folder}/list`]);
    await process.expectExit(0);
    assert.deepEqual(process.eventsNamed("file-done").map(({ path }) => path), odd);
  }
  const [, list] = await sha256sum(folder, "--", ...escaped);
  await Deno.writeTextFile(`${folder}/list`, list);
  await using process = startVerify(folder, ["--manifest", `${folder}/list`]);
  await process.expectExit(12);
  assert.deepEqual(
    process.eventsNamed("warning").map(({ code, path }) => [code, path]),
    escaped.map((name) => ["unsafe_name", name]),
  );
  assert.ok(!(process.stdout + process.stderr).includes("\r"));
});

withSha256sum("sha256sum reads names as they were written, escaped ones too", async () => {
  await using temp = await TempFolder.make();
  const { formatManifest } = await import("../../mod.ts");
  const names = ["back\\slash", "line\nfeed", "\\n", "\\", "-", "a", " b "];
  const files = await Promise.all(names.map(async (path) => {
    const bytes = new TextEncoder().encode(path);
    await Deno.writeFile(temp.at(path), bytes);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return { path, sha256: hash.toHex(), root: "0".repeat(64), sizeBytes: bytes.length };
  }));
  await Deno.writeTextFile(temp.at("SUMS"), Array.from(formatManifest(files)).join(""));
  const [code, output] = await sha256sum(temp.path, "-c", "--strict", "SUMS");
  assert.equal(code, 0, output);
  assert.equal(output.match(/: OK$/gm)!.length, names.length);
});

Deno.test("a manifest lists what is the same already and leaves out what is kept", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("tree"), { files: 5, fileBytes: 1000 });
  const inbox = temp.at("inbox");
  await receiveWithManifest([temp.at("tree")], inbox);
  const all = parseManifest(await Deno.readFile(`${inbox}/SHA256SUMS`));
  const { path } = all.find((file) => file.sizeBytes! > 9)!;
  await Deno.writeTextFile(`${inbox}/${path}`, "my own");
  // In another folder, which has to be granted too.
  const second = temp.at("again");
  const flags = documentedFlags(temp.path, "receive");
  await receiveWithManifest([temp.at("tree")], inbox, { exit: 13, manifest: second, flags });
  const kept = parseManifest(await Deno.readFile(second));
  assert.deepEqual(kept, all.filter((file) => file.path !== path));
  // Under the name it has here.
  const third = `${inbox}/third`;
  const args = ["--overwrite", "rename"];
  const { events } = await receiveWithManifest([temp.at("tree")], inbox, { manifest: third, args });
  const renamed = parseManifest(await Deno.readFile(third)).find((file) =>
    !all.some((other) => other.path === file.path)
  )!;
  const original = all.find((file) => file.path === path)!;
  assert.deepEqual({ ...original, path: renamed.path }, renamed);
  assert.match(renamed.path, / \(2\)/);
  assert.ok(events.some((event) => event.event === "warning" && event.code === "renamed"));
  await using verifying = startVerify(inbox, ["--manifest", third]);
  await verifying.expectExit(0);
});

Deno.test("folders and links are named in comments of a manifest", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using temp = await TempFolder.make();
  await temp.folder("tree", "empty");
  await Deno.writeTextFile(temp.at("tree", "file"), "x");
  await Deno.symlink("file", temp.at("tree", "link"));
  const inbox = temp.at("inbox");
  await using sender = startSend([temp.at("tree")], { args: ["--symlinks", "keep"] });
  const args = ["--manifest", `${inbox}/SHA256SUMS`];
  await using receiver = startReceive(await codeOf(sender), inbox, { args });
  await receiver.expectExit(0);
  const text = await Deno.readTextFile(`${inbox}/SHA256SUMS`);
  const comments = text.split("\n").filter((line) => /^# (?:folder|link) /.test(line));
  assert.deepEqual(comments.sort(), [
    "# folder tree",
    "# folder tree/empty",
    "# link tree/link -> file",
  ]);
  assert.deepEqual(parseManifest(new TextEncoder().encode(text)).map(({ path }) => path), [
    "tree/file",
  ]);
});

Deno.test("a manifest that is there already is not replaced unasked, and nothing is done then", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("tree"), { files: 2, fileBytes: 1000 });
  const inbox = await temp.folder("inbox");
  await Deno.writeTextFile(`${inbox}/SHA256SUMS`, "mine");
  const refused = await receiveWithManifest([temp.at("tree")], inbox, { exit: 2 });
  assert.deepEqual(refused.events.map(({ event }) => event), ["error"]);
  assert.match((await refused.event("error")).message, /SHA256SUMS: it is there already$/);
  assert.equal(await Deno.readTextFile(`${inbox}/SHA256SUMS`), "mine");
  await receiveWithManifest([temp.at("tree")], inbox, { args: ["--overwrite", "always"] });
  assert.ok(parseManifest(await Deno.readFile(`${inbox}/SHA256SUMS`)).length > 2);
});

Deno.test("a file of the other side with the manifest's name stays, and the end says so", async () => {
  await using temp = await TempFolder.make();
  await Deno.writeTextFile(temp.at("SHA256SUMS"), "theirs");
  const inbox = temp.at("inbox");
  const receiver = await receiveWithManifest([temp.at("SHA256SUMS")], inbox, { exit: 9 });
  assert.match(
    (await receiver.event("error")).message,
    /something that was received has this name/,
  );
  assert.equal(await Deno.readTextFile(`${inbox}/SHA256SUMS`), "theirs");
});

Deno.test("receive names the permission for a manifest in another folder", async () => {
  await using temp = await TempFolder.make();
  const [inbox, lists] = [await temp.folder("inbox"), await temp.folder("lists")];
  const words = ["receive", "--json", "-o", inbox, "--manifest", `${lists}/SUMS`, "no code"];
  await using process = new CliProcess(words, { flags: documentedFlags(inbox, "receive") });
  await process.expectExit(24);
  const { message, hint } = await process.event("error");
  assert.ok(message.includes(`--allow-read=${lists}`), message);
  assert.ok(message.includes(`--allow-write=${lists}`), message);
  assert.ok(hint.includes(`--allow-write=${inbox},${lists}`), hint);
});

Deno.test("receive says in words that the files were read back and where the manifest is", async () => {
  await using temp = await TempFolder.make();
  await Deno.writeTextFile(temp.at("note.txt"), "hello");
  await using sender = startSend([temp.at("note.txt")]);
  const inbox = temp.at("inbox");
  const manifest = `${inbox}/SHA256SUMS`;
  const words = ["receive", "--allow-loopback", "--no-local-addresses", "-o", inbox];
  await using receiver = new CliProcess([...words, "--manifest", manifest, await codeOf(sender)]);
  await receiver.expectExit(0);
  assert.ok(receiver.stderr.includes(`Read back 1 file, 5 B. Manifest: ${manifest}\n`));
  assert.match(receiver.stdout, /Everything verified\. Transfer complete\./);
});
