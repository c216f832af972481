import assert from "node:assert/strict";
import type { SocketAddress } from "../../../../lib/nat/address.ts";
import type { Path } from "../../../../lib/nat/path.ts";
import { MAX_PATH_PAIRS, MAX_PATHS } from "../../../../lib/protocol/params.ts";
import { PathTable } from "../../../../lib/protocol/paths/table.ts";
import { instant } from "../../../../lib/time.ts";

const remote = (last: number, family: 4 | 6 = 4): SocketAddress => ({
  family,
  host: family === 4 ? `192.0.2.${last}` : `2001:db8::${last.toString(16)}`,
  port: 9,
});
const path = (last: number, socket = 0): Path => ({ socket, remote: remote(last) });
const SOCKETS = [{ index: 0, family: 4 }, { index: 1, family: 6 }, {
  index: 2,
  family: 4,
}] as const;

Deno.test("PathTable.list pairs sockets and addresses of one family", () => {
  const table = new PathTable();
  const pairs = table.list(SOCKETS, [remote(1), remote(2, 6)], []);
  assert.deepEqual(pairs.map(({ path }) => path), [
    { socket: 0, remote: remote(1) },
    { socket: 2, remote: remote(1) },
    { socket: 1, remote: remote(2, 6) },
  ]);
  assert.deepEqual(table.list(SOCKETS, [remote(1)], []), [], "nothing is new");
  assert.equal(table.all.length, 2, "what is listed no more and never answered is forgotten");
});

Deno.test("PathTable.list makes at most 16 pairs", () => {
  const remotes = Array.from({ length: 20 }, (_, index) => remote(index + 1));
  const table = new PathTable();
  assert.equal(table.list(SOCKETS, remotes, []).length, MAX_PATH_PAIRS);
});

Deno.test("PathTable keeps at most 32 paths, and those that answered and those in use longest", () => {
  const table = new PathTable();
  const inUse = path(200);
  table.add(inUse, []);
  table.add(path(201), []).markValid(instant(5));
  for (let last = 1; last < 100; last++) table.add(path(last), [inUse]);
  assert.equal(table.all.length, MAX_PATHS);
  assert.ok(table.find(inUse));
  assert.ok(table.find(path(201)));
  assert.ok(table.find(path(99)));
  assert.equal(table.find(path(1)), undefined);
});

Deno.test("PathTable.keepSockets forgets the paths of sockets that are gone", () => {
  const table = new PathTable();
  table.add(path(1, 0), []);
  table.add(path(1, 2), []);
  table.keepSockets([SOCKETS[0]]);
  assert.deepEqual(table.all.map(({ path }) => path.socket), [0]);
});
