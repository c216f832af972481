import assert from "node:assert/strict";
import fc from "fast-check";
import { jsonLine, JsonReporter } from "../../../lib/cli/json_reporter.ts";
import { EVENTS, FakeStreams } from "./_fake_world.ts";

Deno.test("jsonLine begins with the version and the event", () => {
  assert.equal(
    jsonLine(EVENTS.code),
    '{"v":1,"event":"code","code":"p2p1qexample","addresses":["192.0.2.7:4000"]}',
  );
});

Deno.test("jsonLine rounds times to a tenth of a millisecond, and nothing else", () => {
  const line = jsonLine({ ...EVENTS.connected, rttMs: 85.37119000000075 });
  assert.equal(JSON.parse(line).rttMs, 85.4);
  const progress = { ...EVENTS.progress, rateBytesPerSecond: 11.25, remainingSeconds: 3.456 };
  assert.deepEqual(JSON.parse(jsonLine(progress)), { v: 1, ...progress });
});

Deno.test("jsonLine is one line of JSON without characters a terminal acts on", () => {
  const hostile = fc.string({
    unit: fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
      fc.constantFrom("\u009b", "\u202e", "\u2028", "\x1b", "\n", "\u007f", "\ufeff"),
    ),
  });
  fc.assert(fc.property(hostile, (file) => {
    const line = jsonLine({ ...EVENTS.progress, file });
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\ufeff]/);
    assert.equal(JSON.parse(line).file, file);
  }));
});

Deno.test("JsonReporter writes objects to output and stacks to error, if at all", () => {
  const streams = new FakeStreams();
  new JsonReporter(streams, false).handleException(new Error("hidden"));
  new JsonReporter(streams, true).handleException(new Error("shown"));
  new JsonReporter(streams, true).handleEvent(EVENTS.code);
  assert.ok(!streams.error.includes("hidden"));
  assert.ok(streams.error.startsWith("Error: shown\n    at "));
  assert.deepEqual(streams.events, [{ v: 1, ...EVENTS.code }]);
});
