import assert from "node:assert/strict";
import type {
  DoctorInvocation,
  GiveInvocation,
  Invocation,
  ReceiveInvocation,
  ShareInvocation,
} from "../../../lib/cli/invocation.ts";
import {
  isEverythingGranted,
  missingPermissions,
  permissionFlags,
  permissionNeeds,
  type PermissionQuery,
} from "../../../lib/cli/permissions.ts";

const COMMON = {
  json: false,
  quiet: false,
  verbose: false,
  color: "auto",
  portMapping: true,
  allowLoopback: false,
} as const;
const TRANSFER = {
  ...COMMON,
  yes: false,
  verify: false,
  background: false,
  identity: false,
} as const;
const SEND: ShareInvocation = {
  ...TRANSFER,
  command: "send",
  paths: ["a", "b"],
  exclude: [],
  gitignore: false,
  symlinks: "skip",
  addresses: [],
  localAddresses: true,
  private: false,
  allow: [],
  qr: false,
};
const RECEIVE: ReceiveInvocation = {
  ...TRANSFER,
  command: "receive",
  directory: "out",
  isDirectoryGiven: true,
  toOutput: false,
  symlinks: "keep",
  allowDotfiles: false,
  offer: [],
  localAddresses: true,
  qr: false,
};
const DOCTOR: DoctorInvocation = { ...COMMON, command: "doctor" };

const answering = (state: Deno.PermissionState, partial = false): PermissionQuery => () =>
  Promise.resolve({ state, partial });

Deno.test("permissionFlags are those the documentation lists", () => {
  assert.deepEqual(permissionFlags(permissionNeeds(SEND)), [
    "--allow-net",
    "--allow-sys=networkInterfaces",
    "--allow-read=a,b",
  ]);
  assert.deepEqual(permissionFlags(permissionNeeds(RECEIVE)), [
    "--allow-net",
    "--allow-sys=networkInterfaces,statfs",
    "--allow-env=P2PFT_CODE",
    "--allow-read=out",
    "--allow-write=out",
  ]);
  assert.deepEqual(permissionFlags(permissionNeeds(DOCTOR)), [
    "--allow-net",
    "--allow-sys=networkInterfaces",
    "--allow-env=P2PFT_CODE",
  ]);
});

Deno.test("permissionFlags let a receive into standard output touch no file", () => {
  assert.deepEqual(permissionFlags(permissionNeeds({ ...RECEIVE, toOutput: true })), [
    "--allow-net",
    "--allow-sys=networkInterfaces",
    "--allow-env=P2PFT_CODE",
  ]);
});

Deno.test("permissionFlags let a send that reads no path read none", () => {
  for (const kind of ["stream", "text"] as const) {
    assert.deepEqual(permissionFlags(permissionNeeds({ ...SEND, paths: [], input: { kind } })), [
      "--allow-net",
      "--allow-sys=networkInterfaces",
    ]);
  }
});

const WAIT: ShareInvocation = {
  ...SEND,
  command: "wait",
  paths: [],
  take: { directory: "in", overwrite: "rename", allowDotfiles: false },
};
const GIVE: GiveInvocation = {
  ...TRANSFER,
  command: "give",
  paths: ["a"],
  exclude: [],
  gitignore: false,
  symlinks: "skip",
  localAddresses: true,
  qr: false,
};

Deno.test("permissionFlags of share, wait and send --to are those the documentation lists", () => {
  const flags = (invocation: Invocation, folder?: string) =>
    permissionFlags(permissionNeeds(invocation, folder));
  assert.deepEqual(flags({ ...SEND, command: "share" }), flags(SEND));
  assert.deepEqual(flags(WAIT), [
    "--allow-net",
    "--allow-sys=networkInterfaces,statfs",
    "--allow-read=in",
    "--allow-write=in",
  ]);
  assert.deepEqual(flags({ ...SEND, take: WAIT.take!, log: "who.log" }), [
    "--allow-net",
    "--allow-sys=networkInterfaces,statfs",
    "--allow-read=a,b,in,who.log",
    "--allow-write=in,who.log",
  ]);
  assert.deepEqual(flags(GIVE), [
    "--allow-net",
    "--allow-sys=networkInterfaces",
    "--allow-env=P2PFT_CODE",
    "--allow-read=a",
  ]);
  assert.ok(flags({ ...RECEIVE, offer: ["x"] }).includes("--allow-read=out,x"));
});

Deno.test("permissionFlags let whoever uses identities read and write their folder", () => {
  const uses: Partial<ShareInvocation>[] = [{ identity: true }, { allow: ["b"] }, { forPeer: "b" }];
  for (const use of uses) {
    const flags = permissionFlags(permissionNeeds({ ...WAIT, ...use, home: "ids" }, "ids"));
    assert.ok(flags.includes("--allow-read=in,ids"), flags.join(" "));
    assert.ok(flags.includes("--allow-write=in,ids"), flags.join(" "));
    assert.ok(!flags.some((flag) => flag.startsWith("--allow-env=")));
  }
  const from = permissionFlags(permissionNeeds({ ...RECEIVE, fromPeer: "b" }, "ids"));
  assert.ok(from.includes("--allow-write=out,ids"));
  assert.ok(from.some((flag) => /^--allow-env=.*P2PFT_HOME/.test(flag)));
  assert.ok(!permissionFlags(permissionNeeds(WAIT, "ids")).join().includes("ids"));
});

Deno.test("permissionFlags grants a whole kind where a path has a comma", () => {
  const needs = permissionNeeds({ ...SEND, paths: ["a", "b,c"] });
  assert.ok(permissionFlags(needs).includes("--allow-read"));
});

Deno.test("missingPermissions names required ones only", async () => {
  const names = async (invocation: ShareInvocation | ReceiveInvocation | DoctorInvocation) =>
    (await missingPermissions(permissionNeeds(invocation), answering("prompt")))
      .map((need) => need.flag);
  assert.deepEqual(await names(RECEIVE), ["--allow-net", "--allow-read=out", "--allow-write=out"]);
  assert.deepEqual(await names(SEND), [
    "--allow-net",
    "--allow-sys=networkInterfaces",
    "--allow-read=a",
    "--allow-read=b",
  ]);
  assert.deepEqual(await names(DOCTOR), ["--allow-net"]);
  const addressed = await names({ ...SEND, addresses: ["203.0.113.5"] });
  assert.ok(!addressed.includes("--allow-sys=networkInterfaces"));
});

Deno.test("missingPermissions is empty when all is granted", async () => {
  assert.deepEqual(await missingPermissions(permissionNeeds(SEND), answering("granted")), []);
});

Deno.test("isEverythingGranted wants every kind without exception", async () => {
  assert.equal(await isEverythingGranted(answering("granted")), true);
  assert.equal(await isEverythingGranted(answering("prompt")), false);
  assert.equal(await isEverythingGranted(answering("granted", true)), false);
  const allButFfi: PermissionQuery = ({ name }) =>
    Promise.resolve({ state: name === "ffi" ? "denied" : "granted" });
  assert.equal(await isEverythingGranted(allButFfi), false);
});
