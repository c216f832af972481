import assert from "node:assert/strict";
import { heldDatagramBytes } from "../../../lib/transport/held_datagrams.ts";

const isLinux = Deno.build.os === "linux";

Deno.test(
  "heldDatagramBytes counts what fits while a quarter of the buffer waits to be given back",
  {
    ignore: !isLinux,
  },
  () => {
    for (const bufferBytes of [undefined, 65_536, 8_388_608]) {
      const size = bufferBytes ?? 212_992;
      const datagrams = Math.floor(size * 3 / 4 / 2304);
      const held = heldDatagramBytes(bufferBytes)!;
      assert.ok(held <= datagrams * 1200, "of the smallest full datagrams");
      assert.ok(held >= 0.9 * datagrams * 1200, "and little is wasted");
    }
  },
);

Deno.test("heldDatagramBytes knows nothing of other systems", { ignore: isLinux }, () => {
  assert.equal(heldDatagramBytes(undefined), undefined);
});
