import assert from "node:assert/strict";
import fc from "fast-check";
import { posix } from "node:path";
import { MAX_LINK_COMPONENTS } from "../../../lib/transfer/limits.ts";
import { routeOfLink } from "../../../lib/transfer/offer/link_target.ts";

/** What a link passes; undefined when it must not be made. */
function passedBy(storedAs: string, target: string): readonly string[] | undefined {
  const route = routeOfLink(storedAs, target);
  return "passed" in route ? route.passed : undefined;
}

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
    assert.deepEqual(passedBy(storedAs, target), passed, `${storedAs} -> ${target}`);
  }
});

Deno.test("routeOfLink takes no target that passes more than any folder is deep, up and down [LINK-2]", () => {
  const names = (count: number) => Array.from({ length: count }, () => "n").join("/");
  assert.equal(passedBy("t/l", names(MAX_LINK_COMPONENTS))?.length, MAX_LINK_COMPONENTS - 1);
  const refusal = "its target has too many parts";
  assert.deepEqual(routeOfLink("t/l", names(MAX_LINK_COMPONENTS + 1)), { refusal });
  assert.deepEqual(routeOfLink("t/l", "a/../".repeat(800)), { refusal });
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
        const passed = "passed" in route ? route.passed : undefined;
        if (target.startsWith("/")) assert.equal(passed, undefined);
        else if (passed !== undefined) assert.ok(isInside, `${folder} -> ${target}`);
        for (const path of passed ?? []) assert.match(path, /^top\//);
      },
    ),
  );
});
