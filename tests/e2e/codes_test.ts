/**
 * Goal: a wrong code leads nowhere, costs nothing and is said plainly; a code gets to the program in
 * every documented way.
 * Method: the program in processes of its own, against shares of its own and against a sharer made
 * of the library's pieces that does not have the key it was asked for.
 */
import assert from "node:assert/strict";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { BareSharer } from "../support/bare_peer.ts";
import { CliProcess } from "../support/cli_process.ts";
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { codeFor, readCode } from "../support/share_codes.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, writeFileSync } from "../support/tree.ts";
import { within } from "../support/within.ts";

/** A small share, running. */
async function smallShare(temp: TempFolder): Promise<CliProcess> {
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 10_000, 1);
  return startSend([temp.at("source", "file")]);
}

/** A socket in a sharer's place that says nothing and counts. */
function silentSocket(): { socket: DenoSocket; heard: () => number; first: Promise<void> } {
  const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  const { promise: first, resolve } = Promise.withResolvers<void>();
  let count = 0;
  void socket.receive(() => {
    count++;
    resolve();
  });
  return { socket, heard: () => count, first };
}

Deno.test("receive names the place of a mistyped character and sends nothing", async () => {
  await using temp = await TempFolder.make();
  const { socket, heard } = silentSocket();
  const code = codeFor(new Uint8Array(16).fill(7), socket.localAddress);
  const position = 12;
  const wrong = code[position - 1] === "q" ? "p" : "q";
  const mistyped = code.slice(0, position - 1) + wrong + code.slice(position);
  await using receiver = startReceive(mistyped, temp.at("target"));
  await receiver.expectExit(3);
  const error = await receiver.event("error");
  assert.equal(error.code, "bad_code");
  assert.match(error.message + error.hint, new RegExp(`\\b${position}\\b`));
  assert.deepEqual(receiver.events.map(({ event }) => event), ["error"]);
  assert.equal(heard(), 0);
  socket.close();
});

Deno.test("receive takes a code in capitals, with spaces and dashes", async () => {
  await using temp = await TempFolder.make();
  await using sender = await smallShare(temp);
  const code = (await codeOf(sender)).toUpperCase().replace(/(.{5})(.{5})/g, "$1-$2 ");
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive with the secret of another share gets no answer and spoils nothing", async () => {
  await using temp = await TempFolder.make();
  await using sender = await smallShare(temp);
  const code = await codeOf(sender);
  const { candidates } = readCode(code);
  const otherT = crypto.getRandomValues(new Uint8Array(16));
  {
    const wrongCode = codeFor(otherT, candidates[0]!.address);
    await using stranger = startReceive(wrongCode, temp.at("stranger"), {
      args: ["--timeout", "1s"],
    });
    await stranger.expectExit(23);
    assert.deepEqual(stranger.eventsNamed("connected"), []);
  }
  assert.deepEqual(sender.eventsNamed("connected"), []);
  await using receiver = startReceive(code, temp.at("target"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
});

Deno.test("receive tells a sharer without the right key from one that is not there", async () => {
  await using temp = await TempFolder.make();
  const t = crypto.getRandomValues(new Uint8Array(16));
  let isAccepted = false;
  await using impostor = await BareSharer.open(() => isAccepted = true, { t });
  await using receiver = startReceive(codeFor(t, impostor.address), temp.at("target"), {
    args: ["--timeout", "2s"],
  });
  await receiver.expectExit(6);
  assert.equal((await receiver.event("error")).code, "authentication_failed");
  assert.deepEqual(receiver.eventsNamed("connected"), []);
  assert.ok(!isAccepted, "the client said who it is to an impostor");
});

Deno.test("receive --timeout ends with timed_out when nobody is there", async () => {
  await using temp = await TempFolder.make();
  const { socket, first } = silentSocket();
  const code = codeFor(new Uint8Array(16).fill(7), socket.localAddress);
  await using receiver = startReceive(code, temp.at("target"), { args: ["--timeout", "1s"] });
  await within("message 1", first);
  await receiver.expectExit(23);
  const error = await receiver.event("error");
  assert.equal(error.code, "timed_out");
  assert.ok(error.fatal);
  socket.close();
});

Deno.test("send --timeout ends with timed_out when nobody comes", async () => {
  await using temp = await TempFolder.make();
  writeFileSync(temp.at("file"), 1, 1);
  await using sender = startSend([temp.at("file")], { args: ["--timeout", "1s"] });
  await sender.expectExit(23);
  assert.equal((await sender.event("error")).code, "timed_out");
});

Deno.test("receive takes the code from P2PFT_CODE", async () => {
  await using temp = await TempFolder.make();
  await using sender = await smallShare(temp);
  await using receiver = new CliProcess(
    ["receive", "--allow-loopback", "-o", temp.at("target")],
    { env: { P2PFT_CODE: await codeOf(sender) } },
  );
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive takes the code from the first line of standard input", async () => {
  await using temp = await TempFolder.make();
  await using sender = await smallShare(temp);
  const code = await codeOf(sender);
  await using receiver = new CliProcess(
    ["receive", "--json", "--allow-loopback", "-o", temp.at("target")],
  );
  await receiver.type(`  ${code}  `);
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
});

Deno.test("receive without a code anywhere is a wrong command line", async () => {
  await using receiver = new CliProcess(["receive", "--json"]);
  await receiver.closeInput();
  await receiver.expectExit(2);
  assert.equal((await receiver.event("error")).code, "usage");
});
