/**
 * Goal: limits of the rate hold for the real program, alone and for several clients, and both sides
 * say what limits a transfer.
 * Method: processes over loopback, directly and through the link emulator; the rate is that of the
 * file's bytes from the first request to the end, which comes from the program's own `done`. Several
 * clients, and disks that are slow, are the library's matter: it runs in this process, on real
 * sockets.
 */
import assert from "node:assert/strict";
import { receive, send, share, type TransferEvent } from "../../mod.ts";
import type { ReceiveOptions, ShareOptions } from "../../mod.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import type { PartFile, SourceFile, TargetFile } from "../../lib/storage/storage.ts";
import { CliProcess, type JsonEvent } from "../support/cli_process.ts";
import { codeOf, LinkInFront, startReceive, startSend } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { writeFileSync } from "../support/tree.ts";

const LOOPBACK = "127.0.0.1";
const SENDING: ShareOptions = {
  addresses: [LOOPBACK],
  bind: { host: LOOPBACK, port: 0 },
  allowLoopback: true,
  portMapping: false,
  stunServers: [],
};
const RECEIVING: ReceiveOptions = {
  allowLoopback: true,
  localAddresses: false,
  portMapping: false,
  stunServers: [],
};
/** Steps side by side cannot be told apart by what they leave open. */
const SIDE_BY_SIDE = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };

function assertWithin5Percent(rate: number, limit: number): void {
  assert.ok(Math.abs(rate / limit - 1) <= 0.05, `${rate} bytes a second instead of ${limit}`);
}

/** What was last said to limit a transfer before its end, of what was said at all. */
function lastLimit(events: readonly JsonEvent[]): JsonEvent & { event: "progress" } {
  const progress = events.filter((event) => event.event === "progress");
  const said = progress.filter(({ limitedBy }) => limitedBy !== undefined);
  assert.ok(said.length > 0, "nothing was said of what limits");
  // The last moments may belong to the end of the transfer.
  return said.findLast(({ bytesDone, bytesTotal }) => bytesDone < bytesTotal) ?? said[0]!;
}

Deno.test("--limit keeps the rate of a send and of a receive within 5 %", async (test) => {
  const cases = [
    { words: "100k", limit: 100_000, side: "send" },
    { words: "16Mbit", limit: 2_000_000, side: "send" },
    { words: "10M", limit: 10_000_000, side: "send" },
    { words: "1.5MB/s", limit: 1_500_000, side: "receive" },
  ];
  await Promise.all(cases.map(({ words, limit, side }) =>
    test.step({
      ...SIDE_BY_SIDE,
      name: `${side} --limit ${words}`,
      fn: async () => {
        await using temp = await TempFolder.make();
        writeFileSync(temp.at("file"), 7 * limit, 1);
        const args = ["--limit", words];
        await using sender = startSend([temp.at("file")], side === "send" ? { args } : {});
        await using receiver = startReceive(
          await codeOf(sender),
          temp.at("target"),
          side === "receive" ? { args } : {},
        );
        await receiver.expectExit(0);
        await sender.expectExit(0);
        for (const process of [sender, receiver]) {
          assertWithin5Percent((await process.event("done")).rateBytesPerSecond, limit);
        }
        const own = side === "send" ? sender : receiver;
        const other = side === "send" ? receiver : sender;
        for (const [process, name] of [[own, "limit"], [other, "peer-limit"]] as const) {
          const { limitedBy, limitBytesPerSecond } = lastLimit(process.events);
          assert.deepEqual([limitedBy, limitBytesPerSecond], [name, limit]);
        }
      },
    })
  ));
});

Deno.test("a line that loses packets is named on both sides, and where nothing is redrawn once", async () => {
  await using temp = await TempFolder.make();
  writeFileSync(temp.at("file"), 14_000_000, 1);
  await using sender = startSend([temp.at("file")], { args: ["--cc", "bbr"] });
  const link = { delayMs: 5, lossRate: 0.04, rateBytesPerSecond: 2_000_000, queueBytes: 100_000 };
  await using front = new LinkInFront(await codeOf(sender), link);
  await using receiver = new CliProcess([
    "receive",
    "--yes",
    "--allow-loopback",
    "--no-local-addresses",
    "--output",
    temp.at("target"),
    front.code,
  ]);
  await receiver.expectExit(0);
  await sender.expectExit(0);
  const { limitedBy, lostShare } = lastLimit(sender.events);
  assert.equal(limitedBy, "loss");
  assert.ok(lostShare! > 0.02 && lostShare! < 0.07, `${lostShare}`);
  const lines = receiver.stderr.split("\n").filter((line) => line.startsWith("Slow: "));
  assert.equal(lines.length, 1, receiver.stderr);
  assert.match(lines[0]!, /^Slow: the line loses [2-7] % of packets$/);
});

/** Receives all of a share and gives its events. */
async function receiveAll(
  code: string,
  directory: string,
  options: ReceiveOptions = {},
): Promise<TransferEvent[]> {
  const events: TransferEvent[] = [];
  await using transfer = receive(code, { ...RECEIVING, directory, ...options });
  for await (const event of transfer) events.push(event);
  assert.equal(events.at(-1)?.event, "done", JSON.stringify(events.at(-1)));
  return events;
}

Deno.test("a limit holds for two clients together, and for one when it is changed", async () => {
  await using temp = await TempFolder.make();
  const fileBytes = 6_000_000;
  writeFileSync(temp.at("file"), fileBytes, 1);
  const limit = 2_000_000;
  await using sharing = await share([temp.at("file")], {
    ...SENDING,
    limitBytesPerSecond: limit,
    clientLimitBytesPerSecond: 1_200_000,
  });
  const took = async (directory: string) => {
    const startMs = performance.now();
    const done = (await receiveAll(sharing.code, temp.at(directory))).at(-1)!;
    assert.ok(done.event === "done");
    return { elapsedMs: performance.now() - startMs, rate: done.rateBytesPerSecond };
  };
  const both = await Promise.all([took("first"), took("second")]);
  const elapsedMs = Math.max(...both.map(({ elapsedMs }) => elapsedMs));
  const rate = 2 * fileBytes / elapsedMs * 1000;
  // Time to connect, and to agree on the offer, is in it.
  assert.ok(rate <= limit && rate >= 0.9 * limit, `${rate} bytes a second for both`);
  for (const { rate } of both) assert.ok(Math.abs(rate / (limit / 2) - 1) < 0.1, `${rate}`);

  sharing.setLimit(800_000);
  assertWithin5Percent((await took("third")).rate, 800_000);
});

/** A disk whose large files are written and read at so many bytes a second at most. */
class SlowStorage extends DenoStorage {
  readonly #bytesPerSecond: number;

  constructor(bytesPerSecond: number) {
    super();
    this.#bytesPerSecond = bytesPerSecond;
  }

  async #wait(bytes: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, bytes / this.#bytesPerSecond * 1000));
  }

  override async createPart(target: TargetFile): Promise<PartFile> {
    const part = await super.createPart(target);
    return {
      write: async (offset, bytes) => {
        await this.#wait(bytes.length);
        await part.write(offset, bytes);
      },
      read: (offset, into) => part.read(offset, into),
      sync: () => part.sync(),
      place: (sizeBytes) => part.place(sizeBytes),
      keep: () => part.keep(),
      discard: () => part.discard(),
    };
  }

  override async openSource(path: string): Promise<SourceFile> {
    const source = await super.openSource(path);
    return {
      info: source.info,
      read: async (offset, into) => {
        await this.#wait(into.length);
        return await source.read(offset, into);
      },
      inspect: () => source.inspect(),
      close: () => source.close(),
    };
  }
}

Deno.test("a slow disk is named by both sides, whosever it is", async (test) => {
  await Promise.all((["sender", "receiver"] as const).map((slow) =>
    test.step({
      ...SIDE_BY_SIDE,
      name: `that of the ${slow}`,
      fn: async () => {
        await using temp = await TempFolder.make();
        writeFileSync(temp.at("file"), 36_000_000, 1);
        const storage = new SlowStorage(4_000_000);
        await using sharing = await send([temp.at("file")], {
          ...SENDING,
          ...(slow === "sender" ? { storage } : {}),
        });
        const sent: TransferEvent[] = [];
        const sending = (async () => {
          for await (const event of sharing) sent.push(event);
        })();
        const received = await receiveAll(
          sharing.code,
          temp.at("target"),
          slow === "receiver" ? { storage } : {},
        );
        await sending;
        const own = slow === "sender" ? sent : received;
        const other = slow === "sender" ? received : sent;
        const said = (events: TransferEvent[]) =>
          new Set(events.flatMap((event) => event.event === "progress" ? event.limitedBy : []));
        assert.ok(said(own).has("disk"), [...said(own)].join());
        assert.ok(said(other).has("peer-disk"), [...said(other)].join());
      },
    })
  ));
});
