import assert from "node:assert/strict";
import { MAX_TOLD, RunAccount } from "../../../lib/session/run_account.ts";
import type { TransferProgress } from "../../../lib/transfer/transfer_notice.ts";

const FIRST: TransferProgress = {
  bytesDone: 600,
  bytesTotal: 1000,
  itemsDone: 3,
  itemsTotal: 10,
  file: "d",
};
/** What is left in another session: 500 bytes were in their place, 100 of the rest were here. */
const SECOND: TransferProgress = {
  bytesDone: 150,
  bytesTotal: 500,
  keptBytes: 100,
  itemsDone: 1,
  itemsTotal: 7,
  file: "e",
};

Deno.test("RunAccount counts what earlier sessions put into its place", () => {
  const account = new RunAccount();
  account.restart(false);
  assert.deepEqual(account.progressOf(FIRST), FIRST);
  account.restart(true);
  assert.deepEqual(account.progressOf(SECOND), {
    ...SECOND,
    bytesDone: 650,
    bytesTotal: 1000,
    keptBytes: 600,
    itemsDone: 4,
    itemsTotal: 10,
  });
  // A session that is lost before it asked for anything changes nothing.
  account.restart(true);
  account.restart(true);
  assert.equal(account.progressOf({ ...SECOND, bytesTotal: 200 }).bytesTotal, 1000);
});

Deno.test("RunAccount holds on to what was before when files are left out meanwhile", () => {
  const account = new RunAccount();
  account.progressOf(FIRST);
  account.restart(true);
  account.progressOf(SECOND);
  assert.equal(account.progressOf({ ...SECOND, bytesTotal: 400 }).bytesTotal, 900);
});

Deno.test("RunAccount begins anew with another offer", () => {
  const account = new RunAccount();
  account.progressOf(FIRST);
  const kept = { event: "warning", code: "kept", message: "Kept a", path: "a" } as const;
  assert.equal(account.isNews(kept), true);
  account.restart(false);
  assert.deepEqual(account.progressOf(SECOND), SECOND);
  assert.equal(account.isNews(kept), true);
});

Deno.test("RunAccount counts at the end what the run moved, in whichever session", () => {
  const summary = { bytes: 500, items: 10, leftOut: 0, root: "00", exit: 0 };
  const account = new RunAccount();
  account.restart(false);
  account.progressOf({ ...FIRST, keptBytes: 200 });
  // Of one session it says what that says.
  assert.deepEqual(account.summaryOf(summary), summary);
  assert.deepEqual(account.summaryOf({ ...summary, keptBytes: 200 }).keptBytes, 200);
  account.restart(true);
  account.progressOf(SECOND);
  // 400 bytes moved in the first session and as many in the second; 500 of all are in their place.
  const end = account.summaryOf({ ...summary, keptBytes: 100 });
  assert.deepEqual(end, { ...summary, bytes: 1000, keptBytes: 200 });
  // What had to be sent twice is not counted as kept.
  assert.equal(account.summaryOf(summary).keptBytes, 100);
  account.restart(false);
  account.progressOf(SECOND);
  assert.deepEqual(account.summaryOf(summary), summary);
});

Deno.test("RunAccount says of a path once what there is to say", () => {
  const account = new RunAccount();
  const kept = { event: "warning", code: "kept", message: "Kept a", path: "a" } as const;
  const text = { event: "text", path: "a", text: "hello" } as const;
  assert.deepEqual([kept, text].map((notice) => account.isNews(notice)), [true, true]);
  account.restart(true);
  assert.deepEqual([kept, text].map((notice) => account.isNews(notice)), [false, false]);
  assert.equal(account.isNews({ ...kept, code: "renamed" }), true);
  assert.equal(account.isNews({ ...kept, path: "b" }), true);
  const waiting = { event: "waiting", reason: "admission" } as const;
  assert.deepEqual([waiting, waiting].map((notice) => account.isNews(notice)), [true, true]);
});

Deno.test("RunAccount remembers of so many paths what was said, whoever offers millions", () => {
  const account = new RunAccount();
  const warn = (path: string) =>
    account.isNews({ event: "warning", code: "kept", message: "", path });
  for (let index = 0; index <= MAX_TOLD; index++) assert.equal(warn(`${index}`), true);
  assert.equal(warn(`${MAX_TOLD - 1}`), false);
  assert.equal(warn(`${MAX_TOLD}`), true);
});
