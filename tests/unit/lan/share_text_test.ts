import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeShareText, encodeShareText } from "../../../lib/lan/share_text.ts";
import { lanCode } from "../../support/lan_scene.ts";
import { codeFor } from "../../support/share_codes.ts";

const CODE = lanCode(7, "192.168.1.5");

function text(...strings: string[]): Uint8Array[] {
  return strings.map((string) => new TextEncoder().encode(string));
}

Deno.test("decodeShareText reads what encodeShareText writes", () => {
  assert.deepEqual(decodeShareText(encodeShareText(CODE)), {
    code: CODE,
    identity: "07".repeat(16),
  });
  assert.ok(encodeShareText(CODE).every(({ length }) => length <= 255));
});

Deno.test("decodeShareText takes keys it does not know", () => {
  assert.equal(decodeShareText(text("txtvers=1", "later=x", `code=${CODE}`))?.code, CODE);
});

Deno.test("decodeShareText takes codes as they are written only, and of other machines only", () => {
  const loopback = codeFor(new Uint8Array(16), { family: 4, host: "127.0.0.1", port: 4000 });
  for (
    const strings of [
      [],
      [`code=${CODE}`],
      ["txtvers=2", `code=${CODE}`],
      ["txtvers=1"],
      ["txtvers=1", `code=${CODE.toUpperCase()}`],
      ["txtvers=1", `code= ${CODE}`],
      ["txtvers=1", `code=${CODE.slice(0, -1)}`],
      ["txtvers=1", `code=${loopback}`],
      ["txtvers=1", "code=\u001b[31m"],
      ["txtvers=1", ...Array.from({ length: 8 }, () => "x"), `code=${CODE}`],
    ]
  ) assert.equal(decodeShareText(text(...strings)), undefined, strings.join(" "));
});

Deno.test("decodeShareText never throws", () => {
  const strings = fc.array(fc.oneof(fc.uint8Array(), fc.string().map((part) => text(part)[0]!)));
  fc.assert(fc.property(strings, (strings) => {
    decodeShareText([...text("txtvers=1"), ...strings]);
    decodeShareText(strings);
  }));
});
