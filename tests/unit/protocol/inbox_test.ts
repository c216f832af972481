// Goal: control bytes come out in order and once, blocks as they come, and neither beyond the credit.
// Method: pieces handed over directly to a handler that writes down what it is told.
import assert from "node:assert/strict";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import { Inbox } from "../../../lib/protocol/inbox.ts";
import { CONTROL_WINDOW_BYTES, MAX_CONTROL_GAPS } from "../../../lib/protocol/params.ts";
import { instant } from "../../../lib/time.ts";
import { RecordingHandler } from "../../support/hand_peer.ts";

const WINDOW_BYTES = 1000;

function openInbox(): { inbox: Inbox; handler: RecordingHandler } {
  const inbox = new Inbox(instant(0), { windowBytes: WINDOW_BYTES, maxWindowBytes: WINDOW_BYTES });
  const handler = new RecordingHandler();
  inbox.open(handler);
  return { inbox, handler };
}

/** The two limits of a CREDIT frame. */
function writtenLimits(inbox: Inbox): [blocks: number, control: number] {
  const out = new Uint8Array(17);
  const reader = new ByteReader(out.subarray(1, inbox.writeCredit(out, 0)));
  return [reader.varint(), reader.varint()];
}

Deno.test("[CTL-1] Inbox hands control bytes on in order and once", () => {
  const { inbox, handler } = openInbox();
  const pieces: [number, number[]][] = [[2, [2, 3]], [0, [0, 1]], [1, [1, 2]], [4, [4]]];
  for (const [offset, bytes] of pieces) {
    assert.equal(inbox.receiveControl(offset, new Uint8Array(bytes)), undefined);
  }
  assert.deepEqual(handler.control, [0, 1, 2, 3, 4]);
});

Deno.test("Inbox keeps control bytes until somebody takes them", () => {
  const inbox = new Inbox(instant(0), { windowBytes: WINDOW_BYTES });
  inbox.receiveControl(0, new Uint8Array([7]));
  const handler = new RecordingHandler();
  inbox.open(handler);
  assert.deepEqual(handler.control, [7]);
});

Deno.test("[CTL-1] Inbox tells control bytes beyond the credit, and too many gaps", () => {
  const { inbox } = openInbox();
  assert.match(inbox.receiveControl(CONTROL_WINDOW_BYTES, new Uint8Array(1))!, /credit/);
  let wrong: string | undefined;
  for (let gap = 0; gap <= MAX_CONTROL_GAPS; gap++) {
    assert.equal(wrong, undefined);
    wrong = inbox.receiveControl(2 * gap + 1, new Uint8Array(1));
  }
  assert.match(wrong!, /gaps/);
});

Deno.test("[BLK-1] [CRED-1] Inbox tells blocks nobody asked for, and those beyond the credit", () => {
  const early = new Inbox(instant(0), { windowBytes: WINDOW_BYTES });
  assert.match(early.receiveBlock(0, 0, new Uint8Array(1))!, /before anything was asked/);
  const { inbox, handler } = openInbox();
  assert.equal(inbox.receiveBlock(0, 0, new Uint8Array(WINDOW_BYTES)), undefined);
  assert.match(inbox.receiveBlock(0, 0, new Uint8Array(1))!, /credit/);
  handler.fresh = () => -1;
  assert.match(inbox.receiveBlock(9, 0, new Uint8Array(1))!, /nobody asked/);
});

Deno.test("Inbox gives new credit when a quarter of the window is free, and writes it once", () => {
  const { inbox } = openInbox();
  inbox.receiveBlock(0, 0, new Uint8Array(WINDOW_BYTES));
  assert.equal(inbox.handleConsumed(instant(1), WINDOW_BYTES / 4 - 1, 10), false);
  assert.equal(inbox.isCreditDue, false);
  assert.equal(inbox.handleConsumed(instant(1), 1, 10), true);
  assert.equal(inbox.isCreditDue, true);
  assert.deepEqual(writtenLimits(inbox), [1.25 * WINDOW_BYTES, CONTROL_WINDOW_BYTES]);
  assert.equal(inbox.isCreditDue, false);
});

Deno.test("Inbox hands nothing on after its handler closed it", () => {
  const { inbox, handler } = openInbox();
  handler.onControl = () => inbox.close();
  inbox.receiveControl(0, new Uint8Array([0]));
  inbox.receiveControl(1, new Uint8Array([1]));
  assert.deepEqual(handler.control, [0]);
  assert.match(inbox.receiveBlock(0, 0, new Uint8Array(1))!, /before anything was asked/);
});
