/** Goal: every sample of a profile is counted once, for the work it was spent on. */
import assert from "node:assert/strict";
import { summarizeProfile, WORK, type Work } from "../../../bench/process/cpu_profile.ts";

const PROJECT = new URL("../../../", import.meta.url).href;

/** A profile in which each stack, outermost frame first, was seen once for 1 ms. */
function profileOf(stacks: readonly (readonly string[])[]) {
  const nodes = [{
    id: 1,
    callFrame: { functionName: "(root)", url: "" },
    children: [] as number[],
  }];
  const samples = stacks.map((stack) => {
    let parent = nodes[0]!;
    for (const frame of stack) {
      const isFile = frame.endsWith(".ts");
      const node = {
        id: nodes.length + 1,
        callFrame: { functionName: isFile ? "f" : frame, url: isFile ? PROJECT + frame : "" },
        children: [],
      };
      parent.children.push(node.id);
      nodes.push(node);
      parent = node;
    }
    return parent.id;
  });
  return { nodes, samples, timeDeltas: samples.map(() => 1000) };
}

function workOf(...stack: string[]): Work | undefined {
  const summary = summarizeProfile(profileOf([stack]));
  const counted = WORK.filter((work) => summary[work] > 0);
  assert.ok(counted.length <= 1);
  for (const work of counted) assert.equal(summary[work], 1);
  return counted[0];
}

Deno.test("summarizeProfile counts a native call for the frame of ours that made it", () => {
  const stack = ["lib/transport/pump.ts", "lib/protocol/connection.ts", "lib/crypto/aead.ts"];
  assert.equal(workOf(...stack, "op_node_cipheriv_encrypt"), "seal and open packets");
  assert.equal(workOf(...stack.slice(0, 2), "set"), "packets, frames, recovery");
  assert.equal(workOf(...stack.slice(0, 1), "op_net_send_udp"), "UDP send and receive");
});

Deno.test("summarizeProfile tells hashing from other cryptography", () => {
  assert.equal(workOf("lib/crypto/node_provider.ts", "sha256"), "hashing");
  assert.equal(workOf("lib/transfer/hash_tree.ts"), "hashing");
  assert.equal(workOf("lib/transfer/sending/sender.ts"), "files, groups, requests");
  assert.equal(workOf("lib/storage/deno_storage.ts", "op_fs_read"), "disk");
});

Deno.test("summarizeProfile tells what has no frame of ours by its name", () => {
  assert.equal(workOf("op_net_recv_udp"), "UDP send and receive");
  assert.equal(workOf("(garbage collector)"), "garbage collection");
  assert.equal(workOf("lib/cli/main.ts", "(garbage collector)"), "garbage collection");
  assert.equal(workOf("(program)"), "event loop and rest");
  assert.equal(workOf("lib/cli/main.ts"), "program and screen");
});

Deno.test("summarizeProfile leaves idle time out", () => {
  assert.equal(workOf("(idle)"), undefined);
});
