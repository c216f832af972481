import assert from "node:assert/strict";
import fc from "fast-check";
import { posix } from "node:path";
import { routeOfLink } from "../../../lib/transfer/offer/link_target.ts";

Deno.test("routeOfLink tells what a link passes [LINK-3]", () => {
  const cases: [storedAs: string, target: string, passed: string[] | undefined][] = [
    ["t/l", "x", []],
    ["t/l", "./x", []],
    ["t/l", "a/b", ["t/a"]],
    ["t/l", "a//b/.", ["t/a", "t/a/b"]],
    ["t/l", "a/..", ["t/a"]],
    ["t/l", "a/", ["t/a"]],
    ["t/s/l", "..", []],
    ["t/s/l", "../a/../b", ["t/a"]],
    ["t/l", ".", []],
    ["t/l", "..", undefined],
    ["t/l", "a/../..", undefined],
    ["t/l", "../t/x", undefined],
    ["t/s/l", "../../t/x", undefined],
    ["t/l", "/t/x", undefined],
    ["t/l", "/", undefined],
    ["l", "x", undefined],
    ["t/l", "..x/y", ["t/..x"]],
  ];
  for (const [storedAs, target, passed] of cases) {
    assert.deepEqual(routeOfLink(storedAs, target)?.passed, passed, `${storedAs} -> ${target}`);
  }
});

Deno.test("routeOfLink never lets a link out of its top-level folder [LINK-2]", () => {
  const component = fc.constantFrom("a", "b", "..", ".", "", "...", "top");
  fc.assert(
    fc.property(
      fc.array(component, { maxLength: 8 }),
      fc.integer({ min: 0, max: 3 }),
      (parts, depth) => {
        const target = parts.join("/");
        const folder = ["top", ..."abc".slice(0, depth)].join("/");
        const route = routeOfLink(`${folder}/link`, target);
        const normal = posix.normalize(`/${folder}/${target}`).replace(/\/$/, "");
        const isInside = normal === "/top" || normal.startsWith("/top/");
        if (target.startsWith("/")) assert.equal(route, undefined);
        else if (route !== undefined) assert.ok(isInside, `${folder} -> ${target}`);
        for (const passed of route?.passed ?? []) assert.match(passed, /^top\//);
      },
    ),
  );
});
