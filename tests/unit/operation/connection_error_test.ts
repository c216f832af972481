import assert from "node:assert/strict";
import { asTransferError, connectionError } from "../../../lib/operation/connection_error.ts";
import { ERRORS, TransferError } from "../../../lib/errors.ts";
import { VERIFY_MISMATCH_TEXT } from "../../../lib/transfer/greeting.ts";

Deno.test("connectionError is nothing when all is done", () => {
  for (const byPeer of [true, false]) {
    assert.equal(connectionError({ code: "done", reason: "", byPeer }), undefined);
  }
});

Deno.test("connectionError says who ended it, and why", () => {
  const own = connectionError({
    code: "path_lost",
    reason: "Nothing heard for 30 s",
    byPeer: false,
  });
  assert.ok(own !== undefined);
  assert.equal(own.code, "path_lost");
  assert.equal(own.message, "Cannot go on: Nothing heard for 30 s");
  assert.equal(own.hint, ERRORS.path_lost.hint);
  const peer = connectionError({ code: "refused", reason: "no", byPeer: true });
  assert.equal(peer?.message, "The other side ended the transfer: no");
  const silent = connectionError({ code: "refused", reason: "", byPeer: true });
  assert.equal(silent?.message, "The other side ended the transfer");
});

Deno.test("connectionError does not blame this machine for trouble of the other", () => {
  for (const code of ["internal", "disk_full", "write_failed", "read_failed"] as const) {
    const error = connectionError({ code, reason: "", byPeer: true });
    assert.equal(error?.code, code);
    assert.match(error!.hint, /other side/);
  }
  const stopped = connectionError({ code: "interrupted", reason: "", byPeer: true });
  assert.match(stopped!.hint, /other side/);
});

Deno.test("asTransferError keeps our errors and calls everything else a bug", () => {
  const ours = new TransferError("refused", "no");
  assert.equal(asTransferError(ours), ours);
  const cause = new RangeError("index");
  const bug = asTransferError(cause);
  assert.equal(bug.code, "internal");
  assert.equal(bug.cause, cause);
  assert.match(bug.message, /index/);
  assert.match(asTransferError("text").message, /text/);
});

Deno.test("connectionError says what to do where only one side compares words", () => {
  const end = { code: "authentication_failed", byPeer: true } as const;
  const error = connectionError({ ...end, reason: VERIFY_MISMATCH_TEXT });
  assert.equal(error!.hint, "Use --verify on both sides, or on neither");
  assert.notEqual(connectionError({ ...end, reason: "" })!.hint, error!.hint);
});
