/**
 * Goal: shares are found by real processes on real links, of several interfaces and both families,
 * without any Internet, with the permissions that docs/lan.md says.
 * Method: three machines, the first with a link to each of the others. Needs root on Linux.
 */
import assert from "node:assert/strict";
import type { LanShareEvent } from "../../lib/lan/browser.ts";
import { lanCode } from "../support/lan_scene.ts";
import { cacheLanProgram, LAN_PERMISSIONS, LanProcess } from "../support/lan_process.ts";
import { Namespaces } from "../support/netns.ts";
import { netnsTest } from "../support/netns_test_case.ts";

const ANNA = lanCode(1, "10.1.0.1");
const ANNA_ELSEWHERE = lanCode(1, "10.2.0.1");
const BEN = lanCode(2, "10.1.0.2");

interface Named {
  readonly name: string;
}

netnsTest("shares are announced and found on every link", async () => {
  await cacheLanProgram();
  await using namespaces = await Namespaces.open();
  const one = await namespaces.add("one");
  const two = await namespaces.add("two");
  const three = await namespaces.add("three");
  await one.shell(`
    ip link add name lan2 type veth peer name eth0 netns ${two.name}
    ip link add name lan3 type veth peer name eth0 netns ${three.name}
    ip addr add 10.1.0.1/24 dev lan2
    ip addr add 10.2.0.1/24 dev lan3
    ip link set lan2 up
    ip link set lan3 up`);
  await two.shell("ip addr add 10.1.0.2/24 dev eth0; ip link set eth0 up");
  await three.shell("ip addr add 10.2.0.3/24 dev eth0; ip link set eth0 up");
  // A link has no address of IPv6 before the system has noticed that both ends are up.
  for (
    const [machine, device] of [[one, "lan2"], [one, "lan3"], [two, "eth0"], [
      three,
      "eth0",
    ]] as const
  ) {
    await machine.shell(`until ip -6 addr show dev ${device} | grep -q fe80; do sleep 0.1; done`);
  }

  await using onTwo = new LanProcess(two, ["browse"]);
  await using onThree = new LanProcess(three, ["browse"]);
  await using anna = new LanProcess(one, ["announce", "Anna", ANNA]);
  for (const [listener, address] of [[onTwo, "10.1.0.1"], [onThree, "10.2.0.1"]] as const) {
    const { share } = await listener.until<LanShareEvent>(
      "the share by both families",
      ({ share }) => share.addresses.length === 2,
    );
    const ipv4 = share.addresses.filter((host) => !host.startsWith("fe80:"));
    assert.deepEqual([share.name, share.code, ipv4], ["Anna", ANNA, [address]]);
  }

  // On the same link the name is taken.
  await using ben = new LanProcess(two, ["announce", "Anna", BEN]);
  await ben.until<Named>("another name", ({ name }) => name === "Anna (2)");
  await using onOne = new LanProcess(one, ["browse"]);
  // A machine finds its own shares as well.
  const found = new Set<string>();
  await onOne.until<LanShareEvent>("both shares", ({ share }) => {
    found.add(`${share.name} ${share.code}`);
    return found.has(`Anna ${ANNA}`) && found.has(`Anna (2) ${BEN}`);
  });

  await anna.say(ANNA_ELSEWHERE);
  for (const listener of [onTwo, onThree]) {
    const { share } = await listener.until<LanShareEvent>(
      "the new code",
      ({ type, share }) => type === "found" && share.code === ANNA_ELSEWHERE,
    );
    assert.equal(share.name, "Anna");
  }

  await anna.end();
  for (const listener of [onTwo, onThree]) {
    await listener.until<LanShareEvent>(
      "the end of the share",
      ({ type, share }) => type === "gone" && share.code === ANNA_ELSEWHERE,
    );
  }
});

Deno.test("a missing permission is said, and nobody is asked for it", async () => {
  for (const permissions of [[], LAN_PERMISSIONS.slice(0, 1), LAN_PERMISSIONS.slice(1)]) {
    for (const args of [["browse"], ["announce", "Anna", ANNA]]) {
      await using process = new LanProcess(undefined, args, permissions);
      await process.until<{ error?: string }>("the error", ({ error }) => {
        assert.equal(error, "permission_missing");
        return true;
      });
    }
  }
});
