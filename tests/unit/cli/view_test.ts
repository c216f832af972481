import assert from "node:assert/strict";
import type { TransferEvent } from "../../../lib/events.ts";
import { advanceView, initialView, type Role, type View } from "../../../lib/cli/view.ts";
import { EVENTS } from "./_fake_world.ts";

const phases = (role: Role, ...events: TransferEvent[]): string[] =>
  phasesFrom(initialView(role), ...events);
const phasesFrom = (start: View, ...events: TransferEvent[]): string[] => {
  let view = start;
  return events.map((event) => (view = advanceView(view, event)).phase.name);
};

Deno.test("advanceView follows a sender from the code to the end", () => {
  const admission = {
    event: "admission",
    session: 1,
    address: "192.0.2.7:1",
    admitted: true,
  } as const;
  assert.deepEqual(
    phases("send", EVENTS.code, EVENTS.connected, admission, EVENTS.progress, EVENTS.done),
    ["waiting_for_peer", "connected", "connected", "moving", "over"],
  );
  assert.deepEqual(
    phases("send", EVENTS.code, EVENTS.connected, { ...admission, admitted: false }),
    ["waiting_for_peer", "connected", "waiting_for_peer"],
  );
});

Deno.test("advanceView follows a receiver from the code to the end", () => {
  const waiting = { event: "waiting", session: 1, reason: "admission" } as const;
  assert.deepEqual(
    phases("receive", EVENTS.connecting, EVENTS.connected, waiting, EVENTS.offer, EVENTS.refused),
    ["connecting", "connected", "waiting_for_admission", "offered", "over"],
  );
});

Deno.test("advanceView waits for a paste once there is a reply code, or one is wanted", () => {
  const wanted = { event: "waiting", session: 1, reason: "reply" } as const;
  assert.deepEqual(
    phases("receive", EVENTS.connecting, EVENTS.replyCode, EVENTS.connected, wanted),
    ["connecting", "waiting_for_paste", "connected", "waiting_for_paste"],
  );
});

Deno.test("advanceView keeps the phase when codes, networks and paths change", () => {
  const view = advanceView(initialView("send"), EVENTS.progress);
  const { code, reply, network, path } = EVENTS;
  for (const event of [{ ...code, changed: true }, network, path]) {
    assert.equal(advanceView(view, event), view, event.event);
  }
  assert.equal(advanceView(view, reply).phase, view.phase);
});

Deno.test("advanceView of a private share waits for the reply code of a client that is here", () => {
  const start = initialView("send", { isPrivate: true });
  const { code, connected, offer, reply } = EVENTS;
  assert.deepEqual(phasesFrom(start, code, connected, offer), [
    "waiting_for_peer",
    "waiting_for_reply",
    "offered",
  ]);
  assert.deepEqual(phasesFrom(start, code, reply, connected, connected), [
    "waiting_for_peer",
    "waiting_for_peer",
    "connected",
    "waiting_for_reply",
  ]);
});

Deno.test("advanceView keeps showing what moves while another client comes and goes", () => {
  const second = { ...EVENTS.connected, session: 2 };
  const gone = { ...EVENTS.refused, session: 2, fatal: false };
  assert.deepEqual(phases("send", EVENTS.code, EVENTS.progress, second, gone, EVENTS.done), [
    "waiting_for_peer",
    "moving",
    "moving",
    "moving",
    "over",
  ]);
});

Deno.test("advanceView waits for another client after the error of one session", () => {
  assert.deepEqual(
    phases("send", EVENTS.code, EVENTS.progress, { ...EVENTS.refused, fatal: false }),
    ["waiting_for_peer", "moving", "waiting_for_peer"],
  );
});

Deno.test("advanceView keeps the phase for events that only add a line", () => {
  const view = advanceView(initialView("receive"), EVENTS.progress);
  const fileDone = { event: "file-done", session: 1, path: "a", bytes: 1, root: "00" } as const;
  assert.equal(advanceView(view, fileDone), view);
});

Deno.test("advanceView knows of a silence until there is a path again", () => {
  const { path, pathLost: lost } = EVENTS;
  const moving = advanceView(initialView("receive"), EVENTS.progress);
  const silent = advanceView(moving, lost);
  const isSilent = (view: View) => view.phase.name === "moving" && view.phase.isSilent;
  assert.ok(isSilent(silent));
  assert.ok(isSilent(advanceView(silent, EVENTS.progress)));
  assert.ok(!isSilent(advanceView(silent, path)));
  assert.ok(!isSilent(advanceView(silent, { ...EVENTS.progress, session: 2 })));
  // Of another client, and before anything moves, it changes nothing.
  assert.equal(advanceView(moving, { ...lost, session: 2 }), moving);
  assert.deepEqual(phases("receive", EVENTS.connected, lost), ["connected", "connected"]);
});

Deno.test("advanceView shows no progress before anything was asked for", () => {
  const nothing = { ...EVENTS.progress, bytesTotal: 0, bytesDone: 0, itemsTotal: 0, itemsDone: 0 };
  assert.deepEqual(
    phases("send", EVENTS.code, EVENTS.connected, EVENTS.offer, nothing, EVENTS.progress),
    ["waiting_for_peer", "connected", "offered", "offered", "moving"],
  );
});

Deno.test("advanceView connects again when a session is lost, and goes on with another", () => {
  const { connected, progress, reconnecting } = EVENTS;
  assert.deepEqual(
    phases("receive", progress, reconnecting, { ...connected, resumes: 1 }, progress),
    ["moving", "connecting", "connected", "moving"],
  );
  // The sharer may not have noticed; a private share knows the client.
  const again = { ...connected, session: 2, resumes: 1 };
  const start = initialView("send", { isPrivate: true });
  assert.deepEqual(phasesFrom(start, progress, again), ["moving", "connected"]);
  assert.deepEqual(phasesFrom(start, progress, { ...again, resumes: 3 }), ["moving", "moving"]);
});
