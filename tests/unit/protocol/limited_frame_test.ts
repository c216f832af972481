import assert from "node:assert/strict";
import { ByteReader } from "../../../lib/bytes/varint.ts";
import { Frame } from "../../../lib/protocol/frame.ts";
import {
  type Limitation,
  LimitedNews,
  MAX_LIMITED_FRAME_BYTES,
} from "../../../lib/protocol/limited_frame.ts";

function written(news: LimitedNews): Uint8Array {
  const out = new Uint8Array(MAX_LIMITED_FRAME_BYTES);
  return out.slice(0, news.write(out, 0));
}

/** A reader of a frame's body. */
function body(frame: Uint8Array): ByteReader {
  const reader = new ByteReader(frame);
  assert.equal(reader.u8(), Frame.LIMITED);
  return reader;
}

Deno.test("LimitedNews reads what it writes", () => {
  const all: Limitation[] = [
    { reason: "loss", value: 20_000 },
    { reason: "limit", value: Number.MAX_SAFE_INTEGER },
    { reason: "wish", value: 1000 },
    { reason: "credit", value: 0 },
    { reason: "disk", value: 0 },
    { reason: "processor", value: 0 },
    { reason: "none", value: 0 },
  ];
  const [from, to] = [new LimitedNews(), new LimitedNews()];
  for (const [packetNumber, limitation] of all.entries()) {
    assert.equal(from.tell(limitation), true);
    assert.equal(from.isDue, true);
    const reader = body(written(from));
    assert.equal(from.isDue, false);
    to.read(reader, packetNumber);
    assert.ok(reader.ok && reader.remaining === 0);
    assert.deepEqual(to.heard, limitation);
  }
});

Deno.test("LimitedNews says the same once, and again when it was lost", () => {
  const news = new LimitedNews();
  assert.equal(news.tell({ reason: "none", value: 0 }), false, "the beginning is no news");
  assert.equal(news.isDue, false);
  assert.equal(news.tell({ reason: "loss", value: 5 }), true);
  const frame = written(news);
  assert.equal(news.tell({ reason: "loss", value: 5 }), false);
  assert.equal(news.isDue, false);
  assert.equal(news.tell({ reason: "loss", value: 6 }), true);
  written(news);
  news.handleLost();
  assert.equal(news.isDue, true);
  assert.notDeepEqual(written(news), frame);
});

Deno.test("[LIM-1] LimitedNews takes reasons it does not know for none", () => {
  for (const reason of [7, 0x3f]) {
    const news = new LimitedNews();
    news.read(new ByteReader(Uint8Array.of(1, 5)), 0);
    news.read(new ByteReader(Uint8Array.of(reason, 9)), 1);
    assert.equal(news.heard.reason, "none");
  }
});

Deno.test("LimitedNews keeps the newest packet's, and nothing of what is cut short", () => {
  const news = new LimitedNews();
  news.read(new ByteReader(Uint8Array.of(5, 0)), 8);
  news.read(new ByteReader(Uint8Array.of(6, 0)), 7);
  assert.equal(news.heard.reason, "disk");
  const reader = new ByteReader(Uint8Array.of(6));
  news.read(reader, 9);
  assert.equal(reader.ok, false);
  assert.equal(news.heard.reason, "disk");
});
