import assert from "node:assert/strict";
import fc from "fast-check";
import type { PathRoute, ProgressEvent } from "../../../lib/events.ts";
import { render, renderPlainProgress } from "../../../lib/cli/render.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { initialView, type Phase, type Role } from "../../../lib/cli/view.ts";
import { EVENTS } from "./_fake_world.ts";

const PLAIN = { color: false };
const line = (phase: Phase, columns: number, role: Role = "receive"): string | undefined =>
  render({ ...initialView(role), phase }, columns, PLAIN)[0];
const moving = (changes: Partial<ProgressEvent> = {}): Phase => ({
  name: "moving",
  progress: { ...EVENTS.progress, ...changes },
});

Deno.test("render shows percent, bytes, rate, time left, route and file in 60 columns", () => {
  assert.equal(line(moving(), 59), " 24% 12.3/50.2 MB 11.2 MB/s 4s left Internet …/img_0001.jpg");
});

Deno.test("render adds a bar where there is room", () => {
  assert.equal(
    line(moving(), 100),
    " 24% ███░░░░░░░░░░░░░ 12.3/50.2 MB 11.2 MB/s 4s left Internet photos/2024/img_0001.jpg",
  );
});

Deno.test("render shows how much of a stream has come, and nothing of an end", () => {
  const bytes = { bytesDone: 12_300_000, bytesTotal: 12_300_000, itemsDone: 0, itemsTotal: 1 };
  const { remainingSeconds: _, ...progress } = { ...EVENTS.progress, ...bytes, file: "stdin" };
  const stream: ProgressEvent = { ...progress, hasStream: true };
  assert.equal(
    line({ name: "moving", progress: stream }, 100),
    "12.3 MB 11.2 MB/s Internet stdin",
  );
  assert.equal(renderPlainProgress(stream), "12.3 MB, 11.2 MB/s, Internet, stdin");
  const ended = { ...stream, itemsDone: 1 };
  assert.equal(line({ name: "moving", progress: ended }, 100), "12.3 MB checking …");
});

Deno.test("render says that files are read back, and names no route where there is no network", () => {
  const { route: _, ...progress } = EVENTS.progress;
  assert.equal(
    line({ name: "moving", progress }, 80, "verify"),
    " 24% 12.3/50.2 MB 11.2 MB/s 4s left photos/2024/img_0001.jpg",
  );
  const back: ProgressEvent = { ...progress, readingBack: true };
  assert.equal(
    line({ name: "moving", progress: back }, 80),
    " 24% 12.3/50.2 MB reading back 11.2 MB/s 4s left photos/2024/img_0001.jpg",
  );
  assert.equal(
    renderPlainProgress(back),
    "24% (12.3/50.2 MB), 11.2 MB/s, 4s left, reading back, photos/2024/img_0001.jpg",
  );
  assert.equal(line({ name: "starting" }, 80, "verify"), "Reading the manifest …");
});

Deno.test("render says what limits in a line above, in 60 columns, as long as bytes move", () => {
  const lines = (changes: Partial<ProgressEvent>, columns = 59) =>
    render({ ...initialView("send"), phase: moving(changes) }, columns, PLAIN);
  const progress = " 24% 12.3/50.2 MB 11.2 MB/s 4s left Internet …/img_0001.jpg";
  assert.deepEqual(lines({ limitedBy: "loss", lostShare: 0.021 }), [
    "Slow: the line loses 2 % of packets",
    progress,
  ]);
  assert.deepEqual(lines({ limitedBy: "line" }), [progress]);
  assert.deepEqual(lines({ limitedBy: "peer-disk" }, 12)[0], "Slow: waiti…");
  const moved = { bytesDone: 50_200_000, itemsDone: 12 };
  assert.equal(lines({ ...moved, limitedBy: "peer" }).length, 1);
});

Deno.test("render claims no rate, no limit and no end while nothing is heard", () => {
  const phase: Phase = {
    name: "moving",
    progress: { ...EVENTS.progress, limitedBy: "peer-limit", limitBytesPerSecond: 2e6 },
    isSilent: true,
  };
  const lines = render({ ...initialView("receive"), phase }, 60, PLAIN);
  assert.deepEqual(lines, [" 24% 12.3/50.2 MB looking for another way …"]);
});

Deno.test("render says a second is left until nothing is", () => {
  const last = { ...EVENTS.progress, file: "a", remainingSeconds: 0 };
  assert.equal(
    renderPlainProgress(last),
    "24% (12.3/50.2 MB), 11.2 MB/s, 1s left, Internet, a",
  );
  const all = { ...last, bytesDone: last.bytesTotal, itemsDone: last.itemsTotal };
  assert.equal(renderPlainProgress(all), "100% (50.2/50.2 MB), 11.2 MB/s, Internet, a");
});

Deno.test("render leaves out the end where there is no room", () => {
  assert.equal(line(moving(), 30), " 24% 12.3/50.2 MB 11.2 MB/s");
  assert.equal(line(moving(), 3), " 2…");
});

Deno.test("render says what it waits for when every byte has moved", () => {
  const all = moving({ bytesDone: 50_200_000, itemsDone: 12, remainingSeconds: 0 });
  assert.equal(line(all, 80, "send"), "100% 50.2/50.2 MB waiting for confirmation …");
  assert.equal(line(all, 80, "receive"), "100% 50.2/50.2 MB checking …");
});

Deno.test("render fits every phase into every width, with wide and hostile names", () => {
  const names = fc.constantFrom("写真/古い写真.jpg", "a\x1b[2Jb", "👩‍👩‍👧‍👦/é.txt", "x".repeat(300), "");
  const routes = fc.constantFrom<PathRoute>("loopback", "lan", "internet");
  const phase: fc.Arbitrary<Phase> = fc.oneof(
    fc.constantFrom<Phase>(
      { name: "starting" },
      { name: "waiting_for_peer" },
      { name: "connected" },
      { name: "waiting_for_admission" },
      { name: "waiting_for_paste" },
      { name: "waiting_for_reply" },
    ),
    fc.array(fc.constant("[2001:db8:1234:5678:9abc:def0:1234:5678]:65535"), { maxLength: 3 })
      .map((addresses): Phase => ({ name: "connecting", addresses })),
    fc.record({ file: names, route: routes, bytesDone: fc.nat(), remainingSeconds: fc.nat() })
      .map((changes): Phase => moving({ ...changes, bytesTotal: 2 ** 31 })),
  );
  fc.assert(fc.property(phase, fc.nat(140), fc.boolean(), (value, columns, color) => {
    for (const text of render({ ...initialView("send"), phase: value }, columns, { color })) {
      // deno-lint-ignore no-control-regex
      const visible = text.replace(/\x1b\[\d*(;\d+)*m/g, "");
      assert.ok(!visible.includes("\x1b"), JSON.stringify(text));
      assert.ok(textWidth(visible) <= columns, `${columns}: ${visible}`);
    }
  }));
});

Deno.test("render shows where the reply code has to go in 59 columns", () => {
  assert.equal(
    line({ name: "waiting_for_paste" }, 59),
    "Waiting for the code to be pasted there … (Ctrl-C ends)",
  );
});

Deno.test("render says that a private share waits for a client's reply code", () => {
  assert.equal(
    line({ name: "waiting_for_reply" }, 59, "send"),
    "Waiting for its reply code … (Ctrl-C ends)",
  );
});

Deno.test("render shows nothing when it is over", () => {
  assert.deepEqual(render({ ...initialView("send"), phase: { name: "over" } }, 80, PLAIN), []);
});

Deno.test("renderPlainProgress is one line of text without control characters", () => {
  assert.equal(
    renderPlainProgress(EVENTS.progress),
    "24% (12.3/50.2 MB), 11.2 MB/s, 4s left, Internet, photos/2024/img_0001.jpg",
  );
  const hostile = renderPlainProgress({ ...EVENTS.progress, file: "a\r\x1bb" });
  assert.ok(!hostile.includes("\r") && !hostile.includes("\x1b"));
});
