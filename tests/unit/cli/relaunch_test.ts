import assert from "node:assert/strict";
import { needsSocket, planRelaunch } from "../../../lib/cli/relaunch.ts";

const CODE = "p2p1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq";
const INSTALLATION = {
  compiled: false,
  windows: false,
  moduleUrl: "https://jsr.io/@p2pft/cli/0.1.0/cli.ts",
};
const plan = (...args: string[]) => planRelaunch(args, INSTALLATION);
const START = ["run", "--allow-all", "--unstable-net", "--no-config", "jsr:@p2pft/cli@0.1.0"];

Deno.test("needsSocket is true for commands that transfer, not for help and version", () => {
  assert.equal(needsSocket(["send", "x"]), true);
  assert.equal(needsSocket(["--json", "receive"]), true);
  assert.equal(needsSocket(["doctor"]), true);
  assert.equal(needsSocket(["share", "x"]), true);
  assert.equal(needsSocket(["wait"]), true);
  assert.equal(needsSocket(["peers", "list"]), false);
  assert.equal(needsSocket(["send", "--help"]), false);
  assert.equal(needsSocket(["--version"]), false);
  assert.equal(needsSocket([]), false);
});

Deno.test("planRelaunch starts the same words with everything granted and the flag", () => {
  assert.deepEqual(plan("send", "a b", "--qr"), {
    args: [...START, "send", "a b", "--qr"],
    env: { P2PFT_RELAUNCHED: "1" },
  });
});

Deno.test("planRelaunch takes the program's own configuration where there is one", () => {
  const { args } = planRelaunch(["send", "x"], INSTALLATION, "/p2pft/deno.json");
  assert.deepEqual(args.slice(3, 5), ["--config", "/p2pft/deno.json"]);
});

Deno.test("planRelaunch takes the shortest of short codes for a code, and nothing shorter", () => {
  const short = `p2p1${"q".repeat(22)}`;
  assert.deepEqual(plan("receive", short).env, {
    P2PFT_RELAUNCHED: "1",
    P2PFT_CODE: short,
  });
  assert.deepEqual(plan("receive", short.slice(1)).args, [...START, "receive", short.slice(1)]);
  assert.deepEqual(plan("receive", "--remember", short).args, [
    ...START,
    "receive",
    "--remember",
    short,
  ]);
});

Deno.test("planRelaunch hands a code on in the environment, not in the words", () => {
  for (const code of [CODE, CODE.toUpperCase(), `p2p1 ${CODE.slice(4)}`, `P2P-1${CODE.slice(4)}`]) {
    assert.deepEqual(plan("receive", code, "-o", "out"), {
      args: [...START, "receive", "-o", "out"],
      env: { P2PFT_RELAUNCHED: "1", P2PFT_CODE: code },
    });
  }
  assert.equal(plan("doctor", CODE).env["P2PFT_CODE"], CODE);
});

Deno.test("planRelaunch hands the code of send --to on in the environment, too", () => {
  for (const words of [["--to", CODE], [`--to=${CODE}`]]) {
    assert.deepEqual(plan("send", "photos", ...words, "--yes"), {
      args: [...START, "send", "photos", "--to=", "--yes"],
      env: { P2PFT_RELAUNCHED: "1", P2PFT_CODE: CODE },
    });
  }
  for (const words of [["x", "--to"], ["x", "--to", "photos"], ["x", "--", "--to", CODE]]) {
    assert.deepEqual(plan("send", ...words), {
      args: [...START, "send", ...words],
      env: { P2PFT_RELAUNCHED: "1" },
    });
  }
});

Deno.test("planRelaunch leaves folders and files that look like codes alone", () => {
  assert.deepEqual(plan("receive", "-o", CODE).args, [...START, "receive", "-o", CODE]);
  assert.deepEqual(plan("receive", "--offer", CODE).args, [...START, "receive", "--offer", CODE]);
  assert.deepEqual(plan("share", CODE).args, [...START, "share", CODE]);
  assert.deepEqual(plan("send", CODE).args, [...START, "send", CODE]);
  assert.deepEqual(plan("send", "doctor", CODE).args, [...START, "send", "doctor", CODE]);
});
