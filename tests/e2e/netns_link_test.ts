/**
 * Goal: datagrams are as long as the link carries, which this machine knows of its own links, and
 * never longer than what arrives at the other end.
 * Method: two namespaces with a cable of jumbo frames between them. Needs root on Linux.
 */
import assert from "node:assert/strict";
import type { Host } from "../support/internet.ts";
import { Meeting } from "../support/netns_meeting.ts";
import { type Namespace, Namespaces } from "../support/netns.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

const PROBE = new URL("../support/_link_datagram_main.ts", import.meta.url).href;

/** Two hosts on one cable. */
interface Cable extends AsyncDisposable {
  readonly a: Host;
  readonly b: Host;
}

/** @param mtus Of the interfaces at its ends. */
async function layCable(mtus: { readonly a: number; readonly b: number }): Promise<Cable> {
  const namespaces = await Namespaces.open();
  const a = await namespaces.add("a");
  const b = await namespaces.add("b");
  await a.shell(`
    ip link add eth0 type veth peer name eth0 netns ${b.name}
    ip link set eth0 mtu ${mtus.a} up
    ip address add 192.168.7.1/24 dev eth0
    ip address add fd00:7::1/64 dev eth0`);
  await b.shell(`
    ip link set eth0 mtu ${mtus.b} up
    ip address add 192.168.7.2/24 dev eth0
    ip address add fd00:7::2/64 dev eth0`);
  const host = (namespace: Namespace, number: number): Host => ({
    namespace,
    address: `192.168.7.${number}`,
    address6: `fd00:7::${number}`,
  });
  return {
    a: host(a, 1),
    b: host(b, 2),
    [Symbol.asyncDispose]: () => namespaces[Symbol.asyncDispose](),
  };
}

async function linkBytes(
  host: Host,
  addresses: readonly string[],
  flags: readonly string[],
): Promise<string[]> {
  const words = [Deno.execPath(), "run", "--no-config", ...flags, PROBE, ...addresses];
  const { success, stdout, stderr } = await host.namespace.command(words).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim().split("\n");
}

netnsTest("linkDatagramBytes is what interface, route and loopback carry", async () => {
  await using cable = await layCable({ a: 9000, b: 9000 });
  const addresses = ["192.168.7.2", "fd00:7::2", "192.168.7.1", "44.0.0.1", "10.9.9.9"];
  await cable.a.namespace.shell(`
    ip route add 44.0.0.0/24 via 192.168.7.2 mtu 1400`);
  assert.deepEqual(await linkBytes(cable.a, addresses, ["--allow-ffi"]), [
    `${9000 - 28}`,
    `${9000 - 48}`,
    `${65_535 - 28}`,
    `${1400 - 28}`,
    "unknown",
  ]);
  assert.deepEqual(await linkBytes(cable.a, ["192.168.7.2", "127.0.0.1"], []), [
    "unknown",
    "65507",
  ]);
});

for (const mtus of [{ a: 9000, b: 9000 }, { a: 9000, b: 1500 }, { a: 1500, b: 9000 }]) {
  netnsTest(`a transfer over a cable with frames of ${mtus.a} and ${mtus.b} arrives`, async () => {
    await using temp = await TempFolder.make();
    await makeTree(temp.at("tree"), { files: 5, fileBytes: 3_000_000 });
    await using cable = await layCable(mtus);
    await using meeting = new Meeting(cable.a, cable.b, {
      stun: ["none"],
      path: temp.at("tree"),
      directory: temp.at("target"),
    });
    await meeting.meet();
    await meeting.finish();
    await assertSameTree(temp.at("target", "tree"), temp.at("tree"));
    const { stdout } = await cable.b.namespace.command(["cat", "/proc/net/snmp"]).output();
    const [names, values] = new TextDecoder().decode(stdout).match(/^Ip: .*$/gm)!
      .map((line) => line.split(" "));
    assert.equal(values![names!.indexOf("ReasmReqds")], "0", "no datagram came in fragments");
  });
}
