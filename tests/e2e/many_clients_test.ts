/**
 * Goal: one running share serves many processes at once, and what goes wrong with one of them is
 * nothing to the others: a kill, a stall, garbage, broken sessions, somebody who is sent away.
 * Method: `share` and its clients in processes of their own on loopback, rates limited so that there
 * is a middle to do things in. Every folder that came through is compared with what was shared.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeHello } from "../../lib/transfer/message_encoder.ts";
import { connectBareClient } from "../support/bare_peer.ts";
import type { CliProcess } from "../support/cli_process.ts";
import { codeOf, sharingWords, startReceive, startShare } from "../support/cli_transfer.ts";
import { Flood } from "../support/flood.ts";
import { HiddenClient } from "../support/hidden_client.ts";
import { Prng } from "../support/prng.ts";
import { readCode } from "../support/share_codes.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { TerminalProgram, terminalTest } from "../support/terminal_program.ts";
import { assertSameFiles, assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";
import { within } from "../support/within.ts";

const MIB = 1_048_576;
const REFUSED = 5;
const SHARE_CLOSED = 4;
const INTERRUPTED = 130;

/** Stopping processes takes POSIX signals. */
const posix = { ignore: Deno.build.os === "windows" };

/** A tree with everything that goes wrong in trees, `bytes` of it in one file. */
async function makeSource(temp: TempFolder, bytes: number): Promise<string> {
  const source = temp.at("source");
  await makeTree(source, { files: 80, fileBytes: 10_000 });
  // The time of its folder is not that of the tree any more; any other is as good.
  writeFileSync(temp.at("source", "large"), bytes, 7);
  return source;
}

/** One line of `--log`. */
type LogLine =
  & { readonly time: string; readonly event: string }
  & Readonly<Record<string, unknown>>;

function readLog(path: string): LogLine[] {
  return Deno.readTextFileSync(path).trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Waits until a client has so much that some of it can be gone on with. */
async function inTheMiddle(receiver: CliProcess): Promise<void> {
  await receiver.event("progress", ({ bytesDone }) => bytesDone > 3 * MIB);
}

/** Clients that hold the code and say what the program never would. */
async function breakSessions(code: string): Promise<void> {
  const prng = new Prng(3);
  const hello = encodeHello({ version: 1, features: 0, text: "" });
  const codes = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const ends = await Promise.all([
      connectBareClient(code, encodeHello({ version: 9, features: 0, text: "" })),
      // Random, but for a type that nobody knows in front.
      connectBareClient(code, hello, (connection) => {
        connection.sendControl(new Uint8Array([0x3f, 40, ...prng.bytes(200)]));
      }),
    ]);
    for (const end of ends) codes.add(end.code);
  }
  assert.deepEqual([...codes].sort(), ["protocol_violation", "version_mismatch"]);
}

Deno.test(
  "share serves sixteen clients at once, whatever happens to some of them",
  posix,
  async () => {
    await using temp = await TempFolder.make();
    const source = await makeSource(temp, 7 * MIB);
    const log = temp.at("log");
    await using sharer = startShare([source], { args: ["--limit-client", "2500k", "--log", log] });
    const code = await codeOf(sharer);
    const target = (index: number) => temp.at("targets", `${index}`);
    // The sharer looks away until all are there, so that they really come at once.
    sharer.kill("SIGSTOP");
    await using clients = new AsyncDisposableStack();
    const receivers = Array.from(
      { length: 15 },
      (_, index) => clients.use(startReceive(code, target(index))),
    );
    const hidden = clients.use(new HiddenClient(code, target(15)));
    const [killed, stalled, ...plain] = receivers as [CliProcess, CliProcess, ...CliProcess[]];
    await Promise.all(receivers.map((receiver) => receiver.event("connecting")));
    sharer.kill("SIGCONT");
    const flood = new Flood(readCode(code).candidates[0]!.address, 20);
    await Promise.all(receivers.map((receiver) => receiver.event("offer")));
    const order = sharer.events.map(({ event }) => event);
    const together = order.slice(0, [...order, "done"].indexOf("done")).filter((name) =>
      name === "connected"
    );
    assert.ok(together.length >= 15, "all of them are there before one is done");

    await Promise.all([inTheMiddle(killed), inTheMiddle(stalled)]);
    killed.kill("SIGKILL");
    stalled.kill("SIGSTOP");
    await killed.exit();
    const again = clients.use(startReceive(code, target(0)));
    await sharer.type(await hidden.replyCode());
    await Promise.all([breakSessions(code), hidden.receiver.event("offer")]);

    for (const receiver of [...plain, again, hidden.receiver]) await receiver.expectExit(0);
    stalled.kill("SIGCONT");
    await stalled.expectExit(0);
    const garbage = await flood.stop();
    assert.ok(garbage.sent > 1000, `only ${garbage.sent} datagrams of garbage`);
    assert.equal(garbage.answers, 0);
    for (let index = 1; index < 16; index++) {
      await assertSameTree(join(target(index), "source"), source);
    }
    await assertSameFiles(join(target(0), "source"), source);
    const resumed = await again.event("resumed");
    assert.ok(resumed.bytes >= MIB, `${resumed.bytes} bytes were here`);

    sharer.kill("SIGINT");
    await sharer.expectExit(INTERRUPTED);
    const closed = await sharer.event("closed");
    assert.deepEqual([closed.reason, closed.clients], ["interrupted", 16]);
    const received = [stalled, ...plain, again, hidden.receiver].map((receiver) =>
      receiver.eventsNamed("done").map(({ root, exit }) => `${exit} ${root}`)
    );
    assert.deepEqual(received.map((ends) => ends.length), Array(16).fill(1));
    const sent = sharer.eventsNamed("done").map(({ root, exit }) => `${exit} ${root}`);
    assert.deepEqual(sent.toSorted(), received.flat().toSorted());

    const lines = readLog(log);
    assert.equal(lines.filter(({ event }) => event === "done").length, 16);
    const admitted = lines.filter(({ event }) => event === "admitted");
    const byReply = admitted.filter(({ by }) => by === "reply");
    assert.equal(byReply.length, 1);
    const { session } = await sharer.event(
      "connected",
      ({ session }) => byReply[0]!["session"] === session,
    );
    // Its whole transfer is on record, and it is that of the client whose code was pasted.
    assert.ok(lines.some((line) => line.event === "done" && line["session"] === session));
  },
);

Deno.test("share stops at its read limit and tells those who came in vain", posix, async () => {
  await using temp = await TempFolder.make();
  const source = await makeSource(temp, 2 * MIB);
  const log = temp.at("log");
  await using sharer = startShare([source], {
    args: ["--read-limit", "2", "--limit-client", "2M", "--log", log],
  });
  const code = await codeOf(sharer);
  sharer.kill("SIGSTOP");
  await using clients = new AsyncDisposableStack();
  const receivers = Array.from(
    { length: 4 },
    (_, index) => clients.use(startReceive(code, temp.at(`${index}`))),
  );
  await Promise.all(receivers.map((receiver) => receiver.event("connecting")));
  sharer.kill("SIGCONT");
  const exits = await Promise.all(receivers.map((receiver) => receiver.exit()));
  assert.deepEqual(exits.toSorted(), [0, 0, SHARE_CLOSED, SHARE_CLOSED]);
  for (const [index, exit] of exits.entries()) {
    if (exit === 0) await assertSameTree(temp.at(`${index}`, "source"), source);
    else {
      assert.equal((await receivers[index]!.event("error")).code, "share_closed");
      // Nothing of the share was shown to it.
      assert.deepEqual(receivers[index]!.eventsNamed("offer"), []);
    }
  }
  await sharer.expectExit(0);
  const closed = await sharer.event("closed");
  assert.deepEqual([closed.reason, closed.clients, closed.exit], ["served", 2, 0]);
  assert.deepEqual(sharer.events.at(-1), closed);

  assertLogOf(readLog(log), sharer);
});

/** The log tells what the events told, a line each, in their order and with times that go on. */
function assertLogOf(lines: readonly LogLine[], sharer: CliProcess): void {
  assert.equal(lines[0]!.event, "started");
  assert.deepEqual(lines.at(-1), {
    ...lines.at(-1),
    event: "closed",
    reason: "served",
    clients: 2,
  });
  const times = lines.map(({ time }) => Date.parse(time));
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  const sessionsOf = (name: string) =>
    lines.filter(({ event }) => event === name).map((line) => line["session"]);
  const ofEvent = (name: "connected" | "admission" | "done") =>
    sharer.eventsNamed(name).map(({ session }) => session);
  assert.deepEqual(sessionsOf("connected"), ofEvent("connected"));
  assert.deepEqual(sessionsOf("admitted"), ofEvent("admission"));
  assert.deepEqual(sessionsOf("done"), ofEvent("done"));
  for (const line of lines.filter(({ event }) => event === "admitted")) {
    assert.equal(line["by"], "code");
    assert.match(line["address"] as string, /^127\.0\.0\.1:\d+$/);
  }
  for (const session of sessionsOf("done")) {
    const files = lines.filter((line) => line.event === "file" && line["session"] === session);
    const expected = sharer.eventsNamed("file-done").filter((event) => event.session === session);
    assert.deepEqual(
      files.map((line) => [line["direction"], line["path"], line["bytes"], line["root"]]),
      expected.map(({ path, bytes, root }) => ["given", path, bytes, root]),
    );
    assert.ok(files.length > 80, `${files.length} files`);
  }
}

Deno.test("share lets those who are in finish after it has expired, and nobody else in", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 5 * MIB, 1);
  await using sharer = startShare([temp.at("source")], { args: ["--expires", "5s"] });
  const code = await codeOf(sharer);
  const expired = new Promise((resolve) => setTimeout(resolve, 5500));
  await using inTime = startReceive(code, temp.at("in time"), { args: ["--limit", "500k"] });
  await inTime.event("offer");
  await within("the share to expire", expired);
  await using late = startReceive(code, temp.at("late"));
  await late.expectExit(SHARE_CLOSED);
  const error = await late.event("error");
  assert.equal(error.code, "share_closed");
  assert.match(error.message, /time is up/);
  assert.deepEqual(late.eventsNamed("offer"), []);
  assert.deepEqual(sharer.eventsNamed("done"), [], "the first is in the middle of it");
  await inTime.expectExit(0);
  await assertSameTree(temp.at("in time", "source"), temp.at("source"));
  await sharer.expectExit(0);
  const closed = await sharer.event("closed");
  assert.deepEqual([closed.reason, closed.clients, closed.exit], ["expired", 1, 0]);
});

terminalTest("share sends one client away in the middle, and the others go on", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 6 * MIB, 1);
  await using sharer = new TerminalProgram(
    sharingWords("share", [temp.at("source")], [
      ...["--yes", "--limit-client", "1500k", "--stun", "none", "--no-portmap"],
    ]),
  );
  const [code] = await sharer.match(/^p2p1[0-9a-z]+/);
  await using victim = startReceive(code, temp.at("victim"));
  await victim.event("offer");
  await using clients = new AsyncDisposableStack();
  const others = ["a", "b"].map((name) => clients.use(startReceive(code, temp.at(name))));
  await Promise.all([inTheMiddle(victim), ...others.map((other) => other.event("offer"))]);
  await sharer.type("kick 1\n");
  await victim.expectExit(REFUSED);
  const error = await victim.event("error");
  assert.equal(error.code, "refused");
  for (const other of others) await other.expectExit(0);
  await assertSameTree(temp.at("a", "source"), temp.at("source"));
  await assertSameTree(temp.at("b", "source"), temp.at("source"));
  await sharer.type("close\n");
  await sharer.expectExit(0);
});
