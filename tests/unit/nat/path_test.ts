import assert from "node:assert/strict";
import { isSamePath, type Path } from "../../../lib/nat/path.ts";

const path = (socket: number, host: string, port: number): Path => ({
  socket,
  remote: { family: 4, host, port },
});

Deno.test("isSamePath compares socket, host and port", () => {
  const one = path(0, "192.0.2.1", 4000);
  assert.ok(isSamePath(one, path(0, "192.0.2.1", 4000)));
  assert.ok(!isSamePath(one, path(1, "192.0.2.1", 4000)));
  assert.ok(!isSamePath(one, path(0, "192.0.2.2", 4000)));
  assert.ok(!isSamePath(one, path(0, "192.0.2.1", 4001)));
});
