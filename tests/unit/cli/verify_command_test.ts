import assert from "node:assert/strict";
import type { TransferEvent, VerifiedEvent } from "../../../lib/events.ts";
import type { VerifyOptions } from "../../../lib/options.ts";
import { parseArguments } from "../../../lib/cli/arguments.ts";
import { manifestLine, verifiedLine, verifyProblem } from "../../../lib/cli/manifest_messages.ts";
import { permissionFlags, permissionNeeds } from "../../../lib/cli/permissions.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import { FakeStreams, fakeWorld, operationOf } from "./_fake_world.ts";

const VERIFIED: VerifiedEvent = {
  event: "verified",
  files: 12,
  bytes: 50_200_000,
  good: 12,
  missing: 0,
  damaged: 0,
  unreadable: 0,
  refused: 0,
  elapsedMs: 62,
  rateBytesPerSecond: 809_677_419,
  exit: 0,
};

const DAMAGED: VerifiedEvent = { ...VERIFIED, good: 9, damaged: 1, missing: 2, exit: 11 };

const PROGRESS: TransferEvent = {
  event: "progress",
  session: 1,
  bytesDone: 12_300_000,
  bytesTotal: 50_200_000,
  itemsDone: 3,
  itemsTotal: 12,
  rateBytesPerSecond: 811_000_000,
  remainingSeconds: 0.1,
  file: "photos/a\u202e.jpg",
};

const WARNING: TransferEvent = {
  event: "warning",
  session: 1,
  code: "missing",
  path: "no\u001b[2J",
  message: "Missing: no\u001b[2J is not there",
};

async function run(args: string[], events: TransferEvent[], streams = new FakeStreams()) {
  const calls: { paths: readonly string[]; options: VerifyOptions }[] = [];
  const world = fakeWorld({
    streams,
    // It does without the socket.
    hasSocket: false,
    verify: (paths, options) => {
      calls.push({ paths, options });
      return Promise.resolve(operationOf(...events));
    },
  });
  const exit = await runProgram(["verify", ...args], world);
  return { exit, streams, ...calls[0]! };
}

Deno.test("parseArguments reads verify", () => {
  const parse = (...args: string[]) => parseArguments(args, { version: "1", columns: 60 });
  assert.deepEqual(parse("verify", "a", "--manifest", "m", "b", "--json", "-q"), {
    command: "verify",
    json: true,
    quiet: true,
    verbose: false,
    color: "auto",
    paths: ["a", "b"],
    manifest: "m",
  });
  const missing = parse("verify", "a");
  assert.ok(missing.command === "usage_error");
  assert.match(missing.message, /--manifest <file>/);
  assert.equal(missing.hint, "See p2pft verify --help");
  // It has nothing to do with the network.
  assert.equal(parse("verify", "--manifest", "m", "--bind", "1").command, "usage_error");
  const receive = parse("receive", "--manifest", "in/m");
  assert.ok(receive.command === "receive" && receive.manifest === "in/m");
});

Deno.test("verify needs to read the manifest and the paths, and nothing else", () => {
  const flags = (...args: string[]) => {
    const parsed = parseArguments(["verify", ...args], { version: "1", columns: 60 });
    assert.ok(parsed.command === "verify");
    return permissionFlags(permissionNeeds(parsed));
  };
  assert.deepEqual(flags("--manifest", "in/m"), ["--allow-read=in"]);
  assert.deepEqual(flags("--manifest", "m"), ["--allow-read=."]);
  assert.deepEqual(flags("--manifest", "in/m", "a", "b"), ["--allow-read=in/m,a,b"]);
});

Deno.test("receive needs the folder of a manifest where that is not the target", () => {
  const flags = (...args: string[]) => {
    const parsed = parseArguments(["receive", "-o", "out", ...args], { version: "1", columns: 60 });
    assert.ok(parsed.command === "receive");
    return permissionFlags(permissionNeeds(parsed)).filter((flag) => /read|write/.test(flag));
  };
  assert.deepEqual(flags("--manifest", "./out/m"), ["--allow-read=out", "--allow-write=out"]);
  assert.deepEqual(flags("--manifest", "m"), ["--allow-read=out,.", "--allow-write=out,."]);
});

Deno.test("verify hands over paths and manifest, and ends with 0 when all is good", async () => {
  const { exit, streams, paths, options } = await run(["--manifest", "in/m", "a"], [VERIFIED]);
  assert.equal(exit, 0);
  assert.deepEqual(paths, ["a"]);
  assert.equal(options.manifest, "in/m");
  assert.ok(options.signal instanceof AbortSignal);
  assert.equal(
    streams.output,
    "Verified 12 files, 50.2 MB in 0.1s (810 MB/s)\nEverything is as it was.\n",
  );
  assert.equal(streams.error, "");
});

Deno.test("verify names what is wrong, escaped, and what to do", async () => {
  const { exit, streams } = await run(["--manifest", "m"], [PROGRESS, WARNING, DAMAGED]);
  assert.equal(exit, 11);
  assert.equal(
    streams.error,
    "24% (12.3/50.2 MB), 811 MB/s, 1s left, photos/a\\u{202e}.jpg\n" +
      "Warning: Missing: no\\u{1b}[2J is not there\n" +
      "Error: Not all files are as they were: 1 damaged, 2 missing\n" +
      "  Remove the damaged ones and receive again: what is still good is not sent twice\n",
  );
  assert.equal(streams.output, "Verified 9 of 12 files, 50.2 MB in 0.1s (810 MB/s)\n");
});

Deno.test("verify --quiet says only what is wrong", async () => {
  const good = await run(["--manifest", "m", "-q"], [PROGRESS, VERIFIED]);
  assert.equal(good.streams.output + good.streams.error, "");
  const bad = await run(["--manifest", "m", "-q"], [WARNING, DAMAGED]);
  assert.equal(bad.streams.output, "");
  assert.match(bad.streams.error, /^Warning: .*\nError: .*\n {2}Remove .*\n$/);
});

Deno.test("verify draws a line of progress on a terminal and leaves nothing of it", async () => {
  const streams = new FakeStreams({ terminal: true, columns: 80 });
  await run(["--manifest", "m"], [PROGRESS, VERIFIED], streams);
  assert.match(streams.error, /Reading the manifest …/);
  assert.match(streams.error, / 24% 12\.3\/50\.2 MB 811 MB\/s 1s left photos\/a\\u\{202e\}\.jpg/);
  assert.deepEqual(streams.screen.lines.filter((line) => line !== ""), [
    "Verified 12 files, 50.2 MB in 0.1s (810 MB/s)",
    "Everything is as it was.",
  ]);
});

Deno.test("verify --json prints the events, the last with the exit status", async () => {
  const { exit, streams } = await run(["--manifest", "m", "--json"], [WARNING, DAMAGED]);
  assert.equal(exit, 11);
  assert.equal(streams.error, "");
  assert.deepEqual(streams.events, [{ v: 1, ...WARNING }, { v: 1, ...DAMAGED }]);
});

Deno.test("verify names a missing permission with the command that has it", async () => {
  const streams = new FakeStreams();
  const world = fakeWorld({ streams, hasSocket: false, granted: () => false });
  assert.equal(await runProgram(["verify", "--manifest", "in/m"], world), 24);
  assert.equal(
    streams.error,
    "Error: Cannot verify: missing permission to read in (--allow-read=in)\n" +
      "  Run: deno run --allow-read=in jsr:@p2pft/cli@0.1.0 verify --manifest in/m\n",
  );
});

Deno.test("what to do follows what is wrong", () => {
  assert.equal(verifyProblem(VERIFIED), undefined);
  const unreadable = verifyProblem({ ...VERIFIED, good: 10, unreadable: 2, exit: 10 })!;
  assert.match(unreadable.message, /: 2 not readable$/);
  assert.match(unreadable.hint, /permissions/);
  const refused = verifyProblem({ ...VERIFIED, good: 11, refused: 1, exit: 12 })!;
  assert.match(refused.message, /: 1 with a name that is not used as a path$/);
  assert.match(refused.hint, /sha256sum -c/);
  const one = { ...VERIFIED, files: 1, good: 1 };
  assert.match(verifiedLine(one), /^Verified 1 file, /);
});

Deno.test("a manifest that was written is said with its escaped path", () => {
  const event = { event: "manifest", session: 1, path: "in/\u202em", files: 1, bytes: 5 } as const;
  assert.equal(manifestLine(event), "Read back 1 file, 5 B. Manifest: in/\\u{202e}m");
});
