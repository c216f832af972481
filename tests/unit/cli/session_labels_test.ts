import assert from "node:assert/strict";
import { SessionLabels } from "../../../lib/cli/session_labels.ts";
import { EVENTS } from "./_fake_world.ts";

Deno.test("SessionLabels names nobody as long as one client came", () => {
  const labels = new SessionLabels();
  labels.handleEvent(EVENTS.connected);
  labels.handleEvent({ ...EVENTS.connected, session: 2, resumes: 1 });
  assert.equal(labels.labelOf({ event: "done", session: 2 }), "");
});

Deno.test("SessionLabels begins lines with number, and name or address, from the second on", () => {
  const labels = new SessionLabels();
  labels.handleEvent(EVENTS.connected);
  labels.handleEvent({ ...EVENTS.connected, session: 2, address: "192.0.2.1:1" });
  const name = "bob\x1b";
  labels.handleEvent({
    event: "identity",
    session: 2,
    key: "00",
    fingerprint: "x",
    name,
    recognition: "known",
  });
  assert.equal(labels.labelOf({ event: "done", session: 1 }), "[1 198.51.100.4:5000] ");
  assert.equal(labels.labelOf({ event: "done", session: 2 }), "[2 bob\\u{1b}] ");
  // The address stands in the line.
  assert.equal(labels.labelOf({ event: "connected", session: 2 }), "[2] ");
  assert.equal(labels.labelOf({ event: "code" }), "");
  labels.handleEvent({ ...EVENTS.connected, session: 3, address: "192.0.2.1:2", resumes: 2 });
  assert.equal(labels.labelOf({ event: "done", session: 3 }), "[3 bob\\u{1b}] ");
});
