import assert from "node:assert/strict";
import { identityFolder } from "../../../lib/identity/identity_place.ts";

function folderOf(os: string, env: Record<string, string>, given?: string): string | undefined {
  return identityFolder({
    os,
    env: (name) => env[name],
    ...(given === undefined ? {} : { given }),
  });
}

Deno.test("identityFolder follows the conventions of each system", () => {
  const home = { HOME: "/home/a", LOCALAPPDATA: "C:\\Users\\a\\AppData\\Local" };
  assert.equal(folderOf("linux", home), "/home/a/.local/share/p2pft");
  assert.equal(folderOf("freebsd", home), "/home/a/.local/share/p2pft");
  assert.equal(folderOf("linux", { ...home, XDG_DATA_HOME: "/data" }), "/data/p2pft");
  assert.equal(folderOf("darwin", home), "/home/a/Library/Application Support/p2pft");
  assert.equal(folderOf("windows", home), "C:\\Users\\a\\AppData\\Local\\p2pft");
});

Deno.test("identityFolder takes what was chosen first, and no empty or relative base", () => {
  const env = { HOME: "/home/a", P2PFT_HOME: "/srv/p" };
  for (const os of ["linux", "darwin", "windows"]) {
    assert.equal(folderOf(os, env), "/srv/p");
    assert.equal(folderOf(os, env, "here"), "here");
  }
  assert.equal(folderOf("linux", { ...env, P2PFT_HOME: "" }), "/home/a/.local/share/p2pft");
  for (const XDG_DATA_HOME of ["", "data", "../x"]) {
    assert.equal(
      folderOf("linux", { HOME: "/home/a", XDG_DATA_HOME }),
      "/home/a/.local/share/p2pft",
    );
  }
});

Deno.test("identityFolder knows nothing without a variable", () => {
  for (const os of ["linux", "darwin", "windows"]) assert.equal(folderOf(os, {}), undefined);
  assert.equal(folderOf("windows", { HOME: "/home/a" }), undefined);
});
