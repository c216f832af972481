import assert from "node:assert/strict";
import { errorEvent, errorEventOf, stackLines } from "../../../lib/cli/failure.ts";
import { TransferError } from "../../../lib/errors.ts";

Deno.test("errorEvent takes exit status and hint from the table", () => {
  assert.deepEqual(errorEvent("usage", "Bad"), {
    event: "error",
    code: "usage",
    exit: 2,
    message: "Bad",
    hint: "See p2pft --help",
    fatal: true,
  });
  assert.equal(errorEvent("usage", "Bad", "Do this").hint, "Do this");
});

Deno.test("errorEventOf keeps the code of a TransferError and calls all else internal", () => {
  const known = errorEventOf(new TransferError("disk_full", "Cannot write", { hint: "Free 3 GB" }));
  assert.deepEqual([known.code, known.exit, known.hint], ["disk_full", 8, "Free 3 GB"]);
  const unknown = errorEventOf(new RangeError("boom"));
  assert.deepEqual([unknown.code, unknown.exit], ["internal", 1]);
  assert.match(unknown.message, /boom$/);
  assert.match(errorEventOf("text").message, /text$/);
});

Deno.test("stackLines follows causes and ends, even in a circle", () => {
  const inner = new Error("inner");
  const outer = new Error("outer", { cause: inner });
  const lines = stackLines(outer);
  assert.equal(lines[0], "Error: outer");
  assert.ok(lines.includes("Caused by: Error: inner"));
  inner.cause = outer;
  assert.ok(stackLines(outer).length > 0);
  assert.deepEqual(stackLines("no error"), []);
});
