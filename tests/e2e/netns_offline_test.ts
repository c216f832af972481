/**
 * Goal: codes work where there is no Internet at all, and nobody waits long for it.
 * Method: two machines on one link, with nothing behind it or a router that is gone, and STUN
 * servers, by address and by name, that never answer; compared with a share that asks nobody. Needs
 * root on Linux.
 */
import assert from "node:assert/strict";
import { CliProcess } from "../support/cli_process.ts";
import { type Namespace, Namespaces } from "../support/netns.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

/** Nobody is there, and nobody knows the name. */
const SILENT = ["--stun", "45.0.0.1", "--stun", "45.0.0.2:19302", "--stun", "stun.example.org"];
const NOBODY = ["--stun", "none", "--no-portmap"];

/** What a code may take longer than when nobody is asked, ms: twice what it does on an idle machine. */
const PLACES = [
  { name: "nothing but each other", route: undefined, laterMs: 1100 },
  { name: "a router that is gone", route: "default via 10.1.0.99", laterMs: 2700 },
] as const;

/** From the start of the search to the first bytes: 0.2 s on an idle machine. */
const FIRST_BYTE_LIMIT_MS = 3000;

/** Two machines on one link: `10.1.0.1` and `10.1.0.2`. */
async function twoMachines(
  namespaces: Namespaces,
  route: string | undefined,
): Promise<readonly [Namespace, Namespace]> {
  const one = await namespaces.add("one");
  const two = await namespaces.add("two");
  await one.shell(`ip link add name eth0 type veth peer name eth0 netns ${two.name}`);
  for (const [machine, address] of [[one, "10.1.0.1"], [two, "10.1.0.2"]] as const) {
    await machine.shell(`
      ip address add ${address}/24 dev eth0
      ip link set eth0 up
      ${route === undefined ? "" : `ip route add ${route}`}`);
  }
  return [one, two];
}

/** Starts a share, and tells after which time it had a code. */
async function startShare(machine: Namespace, path: string, asked: readonly string[]) {
  const startMs = performance.now();
  const sender = new CliProcess(["send", "--json", "--yes", ...asked, path], {
    wrapper: machine.wrapper,
  });
  const { code } = await sender.event("code");
  return { sender, code, codeMs: performance.now() - startMs };
}

/** The shortest time of some to a code: other programs may have kept the processor busy meanwhile. */
async function shortestToCode(
  machine: Namespace,
  path: string,
  asked: readonly string[],
): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < 4; run++) {
    const { sender, codeMs } = await startShare(machine, path, asked);
    await sender[Symbol.asyncDispose]();
    times.push(codeMs);
  }
  return Math.min(...times);
}

for (const { name, route, laterMs } of PLACES) {
  netnsTest(`codes work without any Internet, with ${name}`, async () => {
    await using temp = await TempFolder.make();
    await makeTree(temp.at("source", "tree"), { files: 5, fileBytes: 100_000 });
    await using namespaces = await Namespaces.open();
    const [one, two] = await twoMachines(namespaces, route);
    const path = temp.at("source", "tree");
    const plainMs = await shortestToCode(one, path, NOBODY);
    const silentMs = await shortestToCode(one, path, SILENT);
    assert.ok(silentMs < plainMs + laterMs, `${silentMs} ms, ${plainMs} ms without servers`);

    const { sender, code } = await startShare(one, path, SILENT);
    await using _sender = sender;

    const words = ["receive", "--json", "--yes", ...SILENT, "-o", temp.at("target"), code];
    await using receiver = new CliProcess(words, { wrapper: two.wrapper });
    await receiver.event("connecting");
    const startMs = performance.now();
    await receiver.event("progress", ({ bytesDone }) => bytesDone > 0);
    const firstByteMs = performance.now() - startMs;
    assert.ok(firstByteMs < FIRST_BYTE_LIMIT_MS, `${firstByteMs} ms`);
    await receiver.expectExit(0);
    await sender.expectExit(0);
    assert.deepEqual(receiver.eventsNamed("reply-code"), []);
    await assertSameTree(temp.at("target"), temp.at("source"));
  });
}
