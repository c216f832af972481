/** Whether two folders of files in memory are alike. */
import assert from "node:assert/strict";
import type { FakeStorage } from "./fake_storage.ts";

/** Everything that is like its counterpart: kind, bytes, time, exec bit. */
export function assertSameFakeTree(
  source: FakeStorage,
  from: string,
  target: FakeStorage,
  to: string,
): void {
  const paths = source.paths(from).map((path) => path.slice(from.length));
  assert.deepEqual(target.paths(to).map((path) => path.slice(to.length)), paths);
  for (const path of paths) {
    const [a, b] = [source.get(from + path)!, target.get(to + path)!];
    assert.deepEqual(
      { ...b, bytes: undefined },
      { ...a, bytes: undefined },
      path,
    );
    assert.ok(a.bytes.length === b.bytes.length && a.bytes.every((x, i) => x === b.bytes[i]), path);
  }
}
