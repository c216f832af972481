import assert from "node:assert/strict";
import { withStreamHint } from "../../../lib/cli/stream_hints.ts";
import { type ErrorCode, ERRORS } from "../../../lib/errors.ts";
import type { ErrorEvent } from "../../../lib/events.ts";

function failed(code: ErrorCode): ErrorEvent {
  const { exit, hint } = ERRORS[code];
  return { event: "error", fatal: true, code, exit, message: "Cannot go on", hint };
}

Deno.test("withStreamHint never says that something of a stream is kept", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    for (const isStream of [false, true]) {
      const { hint } = withStreamHint(failed(code), { isStream, toOutput: !isStream });
      assert.doesNotMatch(hint, /is kept/, code);
    }
  }
});

Deno.test("withStreamHint blames no folder for a pipe that was left", () => {
  const error = failed("write_failed");
  const { hint } = withStreamHint(error, { isStream: false, toOutput: true });
  assert.equal(hint, "See what the program says that reads the output: it ended early");
  assert.equal(withStreamHint(error, { isStream: true, toOutput: false }), error);
});

Deno.test("withStreamHint leaves the errors of files as they are", () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const error = failed(code);
    assert.equal(withStreamHint(error, { isStream: false, toOutput: false }), error);
  }
});
