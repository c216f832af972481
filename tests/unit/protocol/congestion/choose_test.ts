import assert from "node:assert/strict";
import { createCongestion } from "../../../../lib/protocol/congestion/choose.ts";
import { Prng } from "../../../support/prng.ts";

Deno.test("createCongestion makes what is asked for, with a first window of 64 datagrams", () => {
  for (const name of ["bbr", "cubic"] as const) {
    const controller = createCongestion(name, 1200, new Prng(1));
    assert.equal(controller.name, name);
    assert.equal(controller.windowBytes, 64 * 1200);
    controller.onDatagramSize(1472);
    assert.equal(controller.windowBytes, 64 * 1472);
  }
});

Deno.test("createCongestion makes the background's first window of ten datagrams", () => {
  const controller = createCongestion("background", 1200, new Prng(1));
  assert.equal(controller.name, "background");
  assert.equal(controller.windowBytes, 10 * 1200);
  controller.onDatagramSize(1472);
  assert.equal(controller.windowBytes, 10 * 1472);
});

Deno.test("Bbr starts anew after persistent congestion", () => {
  const controller = createCongestion("bbr", 1200, new Prng(1));
  controller.onPersistentCongestion();
  assert.equal(controller.windowBytes, 2 * 1200);
});
