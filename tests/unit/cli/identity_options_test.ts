import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { IdentityStore } from "../../../lib/identity/identity_store.ts";
import { encodeShareCode } from "../../../lib/rendezvous/share_code.ts";
import { encodeShortCode } from "../../../lib/rendezvous/short_code.ts";
import { parseArguments } from "../../../lib/cli/arguments.ts";
import type { CommandContext } from "../../../lib/cli/context.ts";
import { usesIdentities } from "../../../lib/cli/expected_identities.ts";
import { identityOptions } from "../../../lib/cli/identity_options.ts";
import type { Invocation } from "../../../lib/cli/invocation.ts";
import { MemoryIdentityFile } from "../../support/memory_identity_file.ts";
import { fakeWorld } from "./_fake_world.ts";

const ADDRESS = { family: 4, host: "203.0.113.5", port: 4000 } as const;
const CONTENT = {
  mappingClass: "unknown",
  candidates: [{ kind: "manual", address: ADDRESS }],
} as const;
const KEY = new Uint8Array(32).fill(1);
const SHORT = encodeShortCode(
  nodeProvider,
  { ...CONTENT, hint: new Uint8Array([1, 2, 3, 4]) },
  { sharerKey: KEY, pairSecret: KEY },
);
const WHOLE = encodeShareCode({ ...CONTENT, t: new Uint8Array(16).fill(5) });

function parse(...args: string[]): Invocation & { readonly identity: boolean } {
  const parsed = parseArguments(args, { version: "0", columns: 80 });
  assert.ok("identity" in parsed, JSON.stringify(parsed));
  return parsed;
}

/** Whether there is a store, in which folder, and whether it is shown. */
async function options(args: readonly string[], code?: string, isGranted = true) {
  const folders: string[] = [];
  const world = fakeWorld({
    env: { P2PFT_HOME: "/srv/p" },
    granted: ({ name }) => isGranted || name === "net",
    openIdentities: (folder) => {
      folders.push(folder);
      return Promise.resolve(new IdentityStore(new MemoryIdentityFile()));
    },
  });
  // Nothing of the terminal is looked at.
  const found = await identityOptions(parse(...args), world as unknown as CommandContext, code);
  return found && [folders, found.shows];
}

Deno.test("identities are used where one is shown or somebody in particular is meant", () => {
  for (const words of ["--identity", "--allow=bob", "--for=bob"]) {
    for (const command of ["send", "share"]) assert.ok(usesIdentities(parse(command, "x", words)));
  }
  for (const words of ["--identity", "--from=bob", "--remember=bob"]) {
    assert.ok(usesIdentities(parse("receive", words)));
  }
  assert.ok(!usesIdentities(parse("receive", "--home=/x")));
  assert.ok(!usesIdentities(parse("send", "x", "--home=/x")));
});

Deno.test("an identity is shown only when that is asked for, or a short code needs it", async () => {
  assert.equal(await options(["receive"]), undefined);
  assert.equal(await options(["receive"], WHOLE), undefined);
  assert.deepEqual(await options(["receive", "--from", "bob"], WHOLE), [["/srv/p"], false]);
  assert.deepEqual(await options(["receive", "--identity", "--home", "/h"], WHOLE), [["/h"], true]);
  assert.deepEqual(await options(["send", "x", "--allow", "bob"]), [["/srv/p"], false]);
  assert.deepEqual(await options(["send", "x", "--for", "bob"]), [["/srv/p"], true]);
});

Deno.test("a short code is word enough for the identity, where its folder may be used", async () => {
  assert.deepEqual(await options(["receive"], SHORT), [["/srv/p"], true]);
  assert.deepEqual(await options(["receive"], SHORT.toUpperCase()), [["/srv/p"], true]);
  assert.deepEqual(await options(["receive", "--from", "bob"], SHORT), [["/srv/p"], true]);
  // Nobody is asked for a permission then: it is said what the code is.
  assert.equal(await options(["receive"], SHORT, false), undefined);
});
