/** What `receive` makes of `output`, before it has anyone to talk to. */
import assert from "node:assert/strict";
import { receive } from "../../../lib/receive.ts";

Deno.test("receive writes into a stream or into a folder, not both", () => {
  const output = () => new WritableStream<Uint8Array>();
  assert.throws(() => receive("x", { output: output(), directory: "." }), TypeError);
  assert.throws(() => receive("x", { output: output(), manifest: "sums" }), TypeError);
  const used = output();
  used.getWriter();
  assert.throws(() => receive("x", { output: used }), TypeError);
});

Deno.test("receive aborts the stream when it ends before a byte was there", async () => {
  let reason: unknown;
  const output = new WritableStream<Uint8Array>({ abort: (error) => void (reason = error) });
  const codes: string[] = [];
  for await (const event of receive("no code", { output })) {
    if (event.event === "error") codes.push(event.code);
  }
  assert.deepEqual(codes, ["bad_code"]);
  // The stream itself takes a few turns to say so.
  for (let turn = 0; turn < 10 && reason === undefined; turn++) await Promise.resolve();
  assert.ok(reason instanceof Error);
});
