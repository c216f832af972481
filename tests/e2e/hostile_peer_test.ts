/**
 * Goal: a peer that is hostile, of another version, or gone does no harm, and is told apart.
 * Method: the program in a process of its own against peers made of the library's pieces, which may
 * say what the program never would, against floods, and against a peer that is killed.
 */
import assert from "node:assert/strict";
import type { ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import { encodeHello, encodeMessage } from "../../lib/transfer/message_encoder.ts";
import { BareSharer, connectBareClient } from "../support/bare_peer.ts";
import { codeOf, LinkInFront, startReceive, startSend } from "../support/cli_transfer.ts";
import { Flood } from "../support/flood.ts";
import { readCode } from "../support/share_codes.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
const MTIME_MS = 1_600_000_000_123;
/** Makes a transfer long enough to be in the middle of it. */
const SLOW_LINK = { rateBytesPerSecond: 4_000_000, queueBytes: 200_000 };
/** A peer that says nothing is given up after 30 s; then the program has to clean up. */
const SILENCE_LIMIT_MS = 60_000;

/** What the files of a hostile manifest are read from; it must not look changed. */
async function makePayload(temp: TempFolder): Promise<string> {
  const path = temp.at("payload");
  writeFileSync(path, 500, 1);
  await Deno.utime(path, new Date(MTIME_MS), new Date(MTIME_MS));
  return path;
}

/** A file of a hostile manifest. */
function fileEntry(path: string, sizeBytes: number): ManifestEntry {
  return { kind: "file", path, sizeBytes, mtimeMs: MTIME_MS, executable: false };
}

function folderEntry(path: string): ManifestEntry {
  return { kind: "directory", path, sizeBytes: 0, mtimeMs: MTIME_MS, executable: false };
}

/** Everything in a folder, in any depth, in order. */
function allIn(root: string): string[] {
  const found: string[] = [];
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(`${root}/${folder}`)) {
      found.push(folder + name);
      if (isDirectory) visit(`${folder}${name}/`);
    }
  };
  visit("");
  return found.sort();
}

Deno.test("receive refuses names that lead out of its folder and takes the rest", async () => {
  await using temp = await TempFolder.make();
  const payload = await makePayload(temp);
  const hostile = [
    "../escaped",
    "..",
    "/absolute",
    `${temp.path}/absolute`,
    "a/../../escaped",
    "a//b",
    "a/./b",
    "back\\slash",
    "..\\escaped",
    "control\u0007bell",
    "line\nbreak",
    "nul\0byte",
    ".p2pft-0123456789abcdef.part",
    "not listed/file",
  ];
  const entries = [
    fileEntry("plain", 500),
    folderEntry("a"),
    ...hostile.map((path) => fileEntry(path, 500)),
    folderEntry("../up"),
    fileEntry("../up/file", 500),
    fileEntry("a/last", 500),
  ];
  const files = entries.filter(({ kind }) => kind === "file").length;
  await using sharer = await BareSharer.offering({
    entries,
    sourceOf: () => payload,
    files,
    directories: entries.length - files,
    links: 0,
    bytes: files * 500,
    leftOut: 0,
  });
  await temp.folder("parent", "target");
  await using receiver = startReceive(sharer.code, temp.at("parent", "target"));
  await receiver.expectExit(12);
  assert.deepEqual(
    allIn(temp.path),
    ["parent", "parent/target", "payload"].concat(
      ["a", "a/last", "plain"].map((path) => `parent/target/${path}`),
    ).sort(),
  );
  const refused = receiver.eventsNamed("warning").filter(({ code }) => code === "unsafe_name");
  for (const path of hostile) {
    assert.ok(
      refused.some((warning) => warning.path === path),
      `${JSON.stringify(path)} is unsaid`,
    );
  }
  const done = await receiver.event("done");
  assert.equal(done.exit, 12);
  assert.equal(done.leftOut, entries.length - 3);
});

Deno.test("receive shows nobody's control characters", async () => {
  await using temp = await TempFolder.make();
  const payload = await makePayload(temp);
  const entries = [fileEntry("\u001b[2Jfake \u202egnp.exe", 500), fileEntry("plain", 500)];
  await using sharer = await BareSharer.offering({
    entries,
    sourceOf: () => payload,
    files: 2,
    directories: 0,
    links: 0,
    bytes: 1000,
    leftOut: 0,
  });
  await using receiver = startReceive(sharer.code, temp.at("target"));
  await receiver.exit();
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(receiver.stdout + receiver.stderr, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
});

Deno.test("send tells a client of another version so, and waits for the next", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 1000, 1);
  await using sender = startSend([temp.at("source", "file")]);
  const code = await codeOf(sender);
  const end = await connectBareClient(code, encodeHello({ version: 2, features: 0, text: "" }));
  assert.equal(end.code, "version_mismatch");
  assert.ok(end.byPeer);
  const error = await sender.event("error");
  assert.deepEqual([error.code, error.exit, error.fatal], ["version_mismatch", 7, false]);
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
});

Deno.test("receive ends with version_mismatch when the sharer speaks another version", async () => {
  await using temp = await TempFolder.make();
  await using sharer = await BareSharer.open((connection) => {
    const body = new Uint8Array(64);
    const hello = { type: "hello", version: 2, features: 0, text: "" } as const;
    const length = encodeMessage(hello, body, 2);
    // Type 1, then the length of the body.
    body.set([0x01, length - 2]);
    connection.sendControl(body.subarray(0, length));
  });
  await using receiver = startReceive(sharer.code, temp.at("target"));
  await receiver.expectExit(7);
  const error = await receiver.event("error");
  assert.equal(error.code, "version_mismatch");
  assert.match(error.message, /1.*2|2.*1/);
  assert.equal((await sharer.ended).code, "version_mismatch");
});

Deno.test("send goes on while garbage pours in from strangers", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 64 * MIB, 1);
  await using sender = startSend([temp.at("source", "file")]);
  const code = await codeOf(sender);
  const flood = new Flood(readCode(code).candidates[0]!.address);
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  const { sent, answers } = await flood.stop();
  await assertSameTree(temp.at("target"), temp.at("source"));
  assert.ok(sent > 1000, `only ${sent} datagrams of garbage`);
  assert.equal(answers, 0);
});

// Both wait for the silence that tells a killed peer: 30 s, at the same time.
Deno.test("a side whose peer is killed in the middle notices, cleans up and goes on", async (test) => {
  await using folder = await TempFolder.make();
  const scenarios = [
    ["receive ends with path_lost, keeps what is here and says what to do", senderKilled],
    ["send serves the next client", receiverKilled],
    ["both go on when only the line was cut", lineCut],
  ] as const;
  await Promise.all(scenarios.map(([name, run], index) =>
    test.step({
      name,
      fn: async () => run(await TempFolder.make(await folder.folder(`${index}`))),
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
    })
  ));
});

async function senderKilled(temp: TempFolder): Promise<void> {
  writeFileSync(temp.at("file"), 64 * MIB, 1);
  await using sender = startSend([temp.at("file")]);
  await using link = new LinkInFront(await codeOf(sender), SLOW_LINK);
  // Patience with a sender that is gone, too.
  const args = ["--timeout", "10s"];
  await using receiver = startReceive(link.code, temp.at("target"), { args });
  await receiver.event("progress", ({ bytesDone }) => bytesDone > MIB);
  sender.kill("SIGKILL");
  await receiver.expectExit(22, SILENCE_LIMIT_MS);
  const error = await receiver.event("error");
  assert.equal(error.code, "path_lost");
  assert.match(error.hint, /new code/);
  const kept = allIn(temp.at("target")).map((name) => name.slice(name.lastIndexOf(".")));
  assert.deepEqual(kept.sort(), [".journal", ".part"]);
}

async function lineCut(temp: TempFolder): Promise<void> {
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 16 * MIB, 1);
  await using sender = startSend([temp.at("source", "file")]);
  await using link = new LinkInFront(await codeOf(sender), SLOW_LINK);
  await using receiver = startReceive(link.code, temp.at("target"));
  await receiver.event("progress", ({ bytesDone }) => bytesDone > 4 * MIB);
  const directions = Object.values(link.link.links);
  for (const direction of directions) direction.up = false;
  await receiver.event("reconnecting", () => true, SILENCE_LIMIT_MS);
  for (const direction of directions) direction.up = true;
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.equal((await sender.event("connected", ({ session }) => session === 2)).resumes, 1);
  await assertSameTree(temp.at("target"), temp.at("source"));
}

async function receiverKilled(temp: TempFolder): Promise<void> {
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 16 * MIB, 1);
  await using sender = startSend([temp.at("source", "file")]);
  const code = await codeOf(sender);
  await using link = new LinkInFront(code, SLOW_LINK);
  await using victim = startReceive(link.code, temp.at("victim"));
  await victim.event("progress", ({ bytesDone }) => bytesDone > MIB);
  victim.kill("SIGKILL");
  await victim.exit();
  const error = await sender.event("error", () => true, SILENCE_LIMIT_MS);
  assert.deepEqual([error.code, error.fatal], ["path_lost", false]);
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
}
