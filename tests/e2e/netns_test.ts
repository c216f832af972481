/**
 * Goal: two people behind real routers meet, in every pair that can, in the way that is expected of
 * it, and what was sent arrives.
 * Method: a process of the program on each of two hosts with their routers between them, STUN on a
 * public host; the codes are carried by the test. Needs root on Linux.
 */
import assert from "node:assert/strict";
import type { PathRoute } from "../../lib/events.ts";
import type { PathMethod } from "../../lib/nat/path_method.ts";
import { Internet } from "../support/internet.ts";
import { Meeting } from "../support/netns_meeting.ts";
import {
  KERNEL_ROUTER_PROBLEM,
  LINUX_ROUTER,
  nat,
  type Place,
  type PlaceName,
  PLACES,
} from "../support/netns_place.ts";
import { HAS_NETNS, netnsTest } from "../support/netns_test_case.ts";
import { StunService } from "../support/stun_service.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

const TREE = { files: 3, fileBytes: 100_000 };
/** From the paste to the path; what is usual is measured elsewhere. */
const CONNECT_LIMIT_MS = 15_000;
const PEER_UNREACHABLE = 21;
const TIMED_OUT = 23;

/** What is expected of a pair. */
interface Expected {
  /** Ways to the path, any of which will do. */
  readonly methods: readonly PathMethod[];
  /** Whether the client needs to show a reply code. */
  readonly isReplied: boolean;
  /** Where the path leads (default the Internet). */
  readonly route?: PathRoute;
  readonly family?: 4 | 6;
}

/** A share from one place to another, from two processes to equal files. */
async function meet(
  makePlaces: (internet: Internet) => Promise<readonly [sharer: Place, client: Place]>,
  expected: Expected,
  options: { readonly coturn?: boolean } = {},
): Promise<void> {
  const { methods, isReplied, route = "internet", family = 4 } = expected;
  await using temp = await TempFolder.make();
  await makeTree(temp.at("tree"), TREE);
  await using internet = await Internet.open();
  const stun = internet.use(
    options.coturn ? await StunService.startCoturn(internet) : await StunService.start(internet),
  );
  const [sharer, client] = await makePlaces(internet);
  await using meeting = new Meeting(sharer.host, client.host, {
    stun: family === 4 ? stun.servers : stun.servers6.map((server) => `[${server}]`),
    path: temp.at("tree"),
    directory: temp.at("target"),
  });
  const met = await meeting.meet();
  await meeting.finish();
  await assertSameTree(temp.at("target", "tree"), temp.at("tree"));
  assert.equal(met.isReplied, isReplied);
  assert.ok(met.connectMs < CONNECT_LIMIT_MS, `${met.connectMs} ms`);
  for (const path of [met.sharerPath, met.clientPath]) {
    assert.ok(methods.includes(path.method), `${path.method}, not ${methods.join(" or ")}`);
    assert.deepEqual([path.route, path.family], [route, family]);
  }
  for (const process of [meeting.sender, meeting.receiver]) {
    assert.deepEqual(process.eventsNamed("path-lost"), []);
  }
}

/** Two places that know nothing of each other. */
function apart(sharer: PlaceName, client: PlaceName) {
  return async (internet: Internet) =>
    [await PLACES[sharer](internet), await PLACES[client](internet)] as const;
}

/** A pair as a line: sharer, client, how they meet. */
function pair(sharer: PlaceName, client: PlaceName, expected: Expected): void {
  const isLinux = /linux/.test(sharer + client);
  netnsTest(
    `send from ${sharer} to ${client}: ${expected.methods.join(" or ")}${
      isLinux ? ` [${LINUX_ROUTER}]` : ""
    }`,
    () => meet(apart(sharer, client), expected),
    expected.family === 6 ? KERNEL_ROUTER_PROBLEM : undefined,
  );
}

const DIRECT = { methods: ["direct"], isReplied: false } as const;
const PUNCHED = { methods: ["punched"], isReplied: true } as const;
const PREDICTED = { methods: ["predicted"], isReplied: true } as const;
const BIRTHDAY = { methods: ["birthday"], isReplied: true } as const;
/** A hard router towards an open address: the first datagram arrives, whatever was planned. */
const OPEN_CLIENT = { methods: ["direct", "punched", "birthday"], isReplied: true } as const;

pair("none", "symmetric", DIRECT);
pair("symmetric", "none", OPEN_CLIENT);
pair("port-restricted", "port-restricted", PUNCHED);
pair("port-restricted", "symmetric", BIRTHDAY);
pair("symmetric", "port-restricted", BIRTHDAY);
pair("port-restricted", "sym-seq", PREDICTED);
pair("sym-seq", "port-restricted", PREDICTED);
pair("sym-seq", "sym-seq", PREDICTED);
pair("sym-addr", "port-restricted", BIRTHDAY);
pair("double", "port-restricted", PUNCHED);
pair("port-restricted", "double", PUNCHED);
pair("linux that drops", "port-restricted", PUNCHED);
pair("linux", "port-restricted", PUNCHED);
pair("port-restricted", "linux", PUNCHED);
pair("linux", "linux", PUNCHED);
pair("linux with random ports", "port-restricted", BIRTHDAY);
pair("IPv6 firewall", "IPv6 firewall", { ...PUNCHED, family: 6 });

netnsTest("send from a host to another behind the same NAT", async () => {
  await meet(async (internet) => {
    const sharer = await PLACES["port-restricted"](internet);
    return [sharer, { host: await sharer.site!.host() }];
  }, { ...DIRECT, route: "lan" });
});

netnsTest("send between homes whose private networks have the same numbers", async () => {
  const home = nat({}, { lan: 1 });
  await meet(async (internet) => {
    const [sharer, client] = [await home(internet), await home(internet)];
    assert.equal(sharer.host.address, client.host.address);
    return [sharer, client];
  }, PUNCHED);
});

netnsTest("send between homes behind one carrier's NAT that hairpins", async () => {
  await meet(async (internet) => {
    const carrier = await nat({ hairpin: "external_source" })(internet);
    const home = nat({}, { behind: carrier.site! });
    return [await home(internet), await home(internet)];
  }, PUNCHED);
});

netnsTest(
  "send from port-restricted to port-restricted with coturn",
  () => meet(apart("port-restricted", "port-restricted"), PUNCHED, { coturn: true }),
  HAS_NETNS ? await StunService.coturnProblem() : undefined,
);

/** A pair that cannot meet: the client is started, its code pasted if it shows one. */
async function meetInVain(
  sharer: PlaceName,
  client: PlaceName,
  use: (meeting: Meeting) => Promise<void>,
): Promise<void> {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("tree"), TREE);
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const [{ host: sharerHost }, { host: clientHost }] = await apart(sharer, client)(internet);
  await using meeting = new Meeting(sharerHost, clientHost, {
    stun: stun.servers,
    path: temp.at("tree"),
    directory: temp.at("target"),
    args: ["--timeout", "5s"],
  });
  await meeting.startReceiver();
  await use(meeting);
}

netnsTest("receive says at once that two symmetric NATs cannot meet", async () => {
  await meetInVain("symmetric", "symmetric", async ({ receiver }) => {
    const startMs = performance.now();
    await receiver.expectExit(PEER_UNREACHABLE);
    assert.ok(performance.now() - startMs < 5000);
    assert.deepEqual(receiver.eventsNamed("reply-code"), []);
    const { hint } = await receiver.event("error");
    assert.match(hint, /IPv6|hotspot|port/);
  });
});

netnsTest("receive ends when no UDP gets through", async () => {
  await meetInVain("port-restricted", "UDP blocked", async ({ sender, receiver }) => {
    assert.equal((await receiver.event("network")).stun, "silent");
    await receiver.expectExit(TIMED_OUT);
    assert.equal(sender.eventsNamed("connected").length, 0);
  });
});
