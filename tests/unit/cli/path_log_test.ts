import assert from "node:assert/strict";
import { PathLog } from "../../../lib/cli/path_log.ts";
import { EVENTS } from "./_fake_world.ts";

const { connected, path, pathLost } = EVENTS;

Deno.test("PathLog says of a first path only what is new, and of later ones all", () => {
  const log = new PathLog();
  log.begin(connected);
  assert.equal(log.handlePath({ ...path, method: "direct" }, false), undefined);
  assert.match(
    log.handlePath(path, false)!,
    /^Path changed: hole punched, .*82 ms, 198\.51\.100\.4:5000$/,
  );
});

Deno.test("PathLog says once that a path is back", () => {
  const log = new PathLog();
  log.begin(connected);
  log.handlePath(path, false);
  assert.match(log.handleLost(pathLost), /^Nothing heard for 3 s/);
  assert.match(log.handlePath(path, false)!, /^Back: .*82 ms$/);
  assert.match(log.handlePath(path, false)!, /^Path changed: /);
});

Deno.test("PathLog keeps sessions apart, and forgets those that are over", () => {
  const log = new PathLog();
  log.begin(connected);
  log.begin({ ...connected, session: 2, address: "192.0.2.8:1" });
  log.handlePath(path, false);
  log.handleLost({ ...pathLost, session: 2 });
  assert.match(log.handlePath(path, false)!, /^Path changed: /);
  assert.match(log.handlePath({ ...path, session: 2 }, false)!, /^Back: /);
  assert.equal(log.addressOf(2), "192.0.2.8:1");
  log.end(2);
  assert.equal(log.addressOf(2), undefined);
  assert.match(
    log.handlePath({ ...path, session: 2 }, true)!,
    /^Path changed: .*198\.51\.100\.4:5000$/,
  );
});
