import assert from "node:assert/strict";
import { ClientLog } from "../../../lib/cli/client_log.ts";
import type { TransferEvent } from "../../../lib/events.ts";
import { EVENTS } from "./_fake_world.ts";

function logging(failAt = Infinity) {
  const lines: string[] = [];
  const failures: [unknown, number | undefined][] = [];
  let closed = 0;
  const log = new ClientLog({
    file: {
      write(line) {
        if (lines.length >= failAt) throw new Error("disk full");
        lines.push(line);
      },
      close: () => Promise.resolve(void closed++),
    },
    timeMs: () => Date.UTC(2026, 1, 1, 8, 30),
    onFailure: (error, admitted) => void failures.push([error, admitted]),
  });
  return { log, lines, failures, closedCount: () => closed };
}

const admission: TransferEvent = {
  event: "admission",
  session: 1,
  address: "198.51.100.4:5000",
  admitted: true,
  by: "reply",
};

Deno.test("ClientLog writes who came, by what, what they took and how it ended", async () => {
  const { log, lines, closedCount } = logging();
  log.begin("share", ["photos"]);
  const fileDone = {
    event: "file-done",
    session: 1,
    path: "a\u202e\n",
    bytes: 5,
    root: "00",
  } as const;
  const events: TransferEvent[] = [
    EVENTS.code,
    EVENTS.connected,
    admission,
    EVENTS.offer,
    EVENTS.progress,
    fileDone,
    { ...fileDone, back: true },
    EVENTS.done,
    { ...EVENTS.refused, fatal: false },
    { event: "closed", reason: "expired", clients: 1, bytes: 5, elapsedMs: 1.4, exit: 0 },
  ];
  for (const event of events) log.handleEvent(event);
  await log.close();
  const records = lines.map((line) => JSON.parse(line));
  assert.ok(records.every(({ time }) => time === "2026-02-01T08:30:00.000Z"));
  assert.deepEqual(records.map(({ event }) => event), [
    "started",
    "connected",
    "admitted",
    "file",
    "file",
    "done",
    "error",
    "closed",
  ]);
  assert.deepEqual(records[0], {
    time: records[0].time,
    event: "started",
    command: "share",
    names: ["photos"],
  });
  assert.equal(records[2].by, "reply");
  assert.deepEqual(records.slice(3, 5).map(({ direction }) => direction), ["given", "taken"]);
  assert.equal(records[3].path, fileDone.path);
  // One object a line, whatever names there are, and nothing that a terminal acts on.
  assert.ok(lines.every((line) => !line.includes("\n") && !line.includes("\u202e")));
  assert.equal(records[5].bytes, EVENTS.done.bytes);
  assert.equal(closedCount(), 1);
});

Deno.test("ClientLog tells once that it fails, and of whose admission", () => {
  const { log, lines, failures } = logging(1);
  log.begin("send", []);
  log.handleEvent(admission);
  log.handleEvent(EVENTS.done);
  assert.equal(lines.length, 1);
  assert.equal(failures.length, 1);
  assert.equal(failures[0]![1], 1);
  assert.ok(log.hasFailed);
  const other = logging(0);
  other.log.handleEvent(EVENTS.connected);
  assert.deepEqual(other.failures.map(([, admitted]) => admitted), [undefined]);
});

Deno.test("ClientLog fails when what it wrote cannot be synced", async () => {
  const failures: unknown[] = [];
  const log = new ClientLog({
    file: { write() {}, close: () => Promise.reject(new Error("no sync")) },
    timeMs: () => 0,
    onFailure: (error) => void failures.push(error),
  });
  await log.close();
  assert.equal(failures.length, 1);
  assert.ok(log.hasFailed);
});
