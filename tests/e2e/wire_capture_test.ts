/**
 * Goal: what real processes put on the wire cannot be told from noise and holds nothing in clear, and
 * strangers get nothing back.
 * Method: the program as sharer and client, and between them a forwarder that keeps every datagram.
 * Keys are fresh in every run: each of about 160 tests of bytes is allowed to fail once in 10^9, all
 * of them together less than once in five million runs.
 */
import assert from "node:assert/strict";
import type { TransferEvent } from "../../lib/events.ts";
import { share } from "../../lib/share.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { codeOf, startReceive, startSend } from "../support/cli_transfer.ts";
import { RecordingProxy } from "../support/recording_proxy.ts";
import { readCode } from "../support/share_codes.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree } from "../support/tree.ts";
import { assertHidden, assertNoise } from "../support/wire_tap.ts";
import { within } from "../support/within.ts";

/** One in 10^9. */
const Z = 6;
const SENTENCE = "Ceterum censeo Carthaginem esse delendam. ";
const FOLDER = "confidential plans";
const FILE = "Gehaltsliste 2026.xlsx";

const encoder = new TextEncoder();

Deno.test("the datagrams of real processes are noise, and hold no name, content or code", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("from", FOLDER);
  Deno.writeTextFileSync(temp.at("from", FOLDER, FILE), SENTENCE.repeat(60_000));
  Deno.writeTextFileSync(temp.at("from", FOLDER, "small"), SENTENCE);
  await using sender = startSend([temp.at("from", FOLDER)]);
  const code = await codeOf(sender);
  using proxy = new RecordingProxy(code);
  await using receiver = startReceive(proxy.code, temp.at("into"));
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(temp.at("into"), temp.at("from"));

  const { toSharer, toClient } = proxy;
  assert.ok(toClient.length > 1500, `${toClient.length} datagrams`);
  assertNoise(toClient, Z);
  assertNoise(toSharer, Z);
  assert.equal(proxy.owedBytes, 0, "more bytes than an unproved client had sent");
  const { t } = readCode(code);
  assertHidden([...toSharer, ...toClient], {
    "the folder's name": encoder.encode(FOLDER).subarray(0, 12),
    "the file's name": encoder.encode(FILE).subarray(0, 12),
    "a sentence": encoder.encode(SENTENCE).subarray(0, 10),
    "the path on the sharer's disk": encoder.encode(temp.path),
    "the code": encoder.encode(code.slice(4, 16)),
    "what the code commits to": t.subarray(0, 8),
    "the name of the protocol": encoder.encode("p2pft/1"),
  });
});

Deno.test("a session that is sent again to its sharer gets no byte and begins nothing", async () => {
  await using temp = await TempFolder.make();
  Deno.writeTextFileSync(temp.at("file"), SENTENCE.repeat(1000));
  const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  const { localAddress } = socket;
  await using sharing = await share([temp.at("file")], {
    sockets: [socket],
    addresses: [`127.0.0.1:${localAddress.port}`],
    allowLoopback: true,
    readLimit: 2,
  });
  const events: TransferEvent[] = [];
  const over = (async () => {
    for await (const event of sharing) events.push(event);
  })();
  using proxy = new RecordingProxy(sharing.code);
  await using first = startReceive(proxy.code, temp.at("first"));
  await first.expectExit(0);

  const stranger = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  let answers = 0;
  void stranger.receive(() => answers++);
  for (const datagram of [...proxy.toSharer, ...proxy.toClient]) {
    await stranger.send(datagram.slice(), localAddress);
  }
  await using second = startReceive(sharing.code, temp.at("second"));
  await second.expectExit(0);
  await within("the share to end", over);
  stranger.close();
  assert.equal(answers, 0);
  assert.equal(events.filter(({ event }) => event === "connected").length, 2);
  assert.deepEqual(events.filter(({ event }) => event === "error"), []);
  assert.equal(Deno.readTextFileSync(temp.at("second", "file")), SENTENCE.repeat(1000));
});
