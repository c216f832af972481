import assert from "node:assert/strict";
import type { TransferError } from "../../../lib/errors.ts";
import { SPACE_LOOK_BYTES, SpaceWatch } from "../../../lib/transfer/receiving/space_watch.ts";

const MIB = 1_048_576;

function watch(freeBytes: () => Promise<number | undefined>, missingBytes = 100) {
  let looks = 0;
  const errors: TransferError[] = [];
  const storage = {
    freeBytes: () => {
      looks++;
      return freeBytes();
    },
  };
  const space = new SpaceWatch({
    storage,
    directory: "/into",
    spaceLookBytes: SPACE_LOOK_BYTES,
    missingBytes: () => missingBytes,
    onShort: (error) => errors.push(error),
  });
  const write = async (bytes: number) => {
    for (let left = bytes; left > 0; left -= MIB) space.note(MIB);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { write, errors, looks: () => looks };
}

Deno.test("SpaceWatch looks once for each GiB, and says when the rest does not fit", async () => {
  let free = 100;
  const { write, errors, looks } = watch(() => Promise.resolve(free));
  await write(SPACE_LOOK_BYTES - MIB);
  assert.equal(looks(), 0);
  await write(MIB);
  assert.deepEqual([looks(), errors.length], [1, 0]);
  free = 99;
  await write(SPACE_LOOK_BYTES);
  assert.equal(looks(), 2);
  assert.equal(errors[0]?.code, "disk_full");
  assert.match(errors[0]!.message, /into \/into: 100 bytes are needed, 99 are free/);
});

Deno.test("SpaceWatch has nothing to say where nobody knows, and asks once at a time", async () => {
  for (const answer of [() => Promise.resolve(undefined), () => Promise.reject(new Error("no"))]) {
    const { write, errors, looks } = watch(answer);
    await write(2 * SPACE_LOOK_BYTES);
    assert.equal(errors.length, 0);
    assert.ok(looks() >= 1);
  }
  const waiting = watch(() => new Promise<undefined>(() => {}));
  await waiting.write(5 * SPACE_LOOK_BYTES);
  assert.equal(waiting.looks(), 1);
});
