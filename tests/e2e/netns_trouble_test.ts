/**
 * Goal: a transfer outlives what happens to home networks in its middle: a router that loses its
 * memory, a line that gets another address, a host that changes to another Wi-Fi.
 * Method: two processes of the program in namespaces; the trouble comes when part of a large file is
 * there, and then more of it must arrive, and in the end all of it. Needs root on Linux.
 */
import assert from "node:assert/strict";
import { Internet } from "../support/internet.ts";
import { Meeting } from "../support/netns_meeting.ts";
import { type Place, type PlaceName, PLACES } from "../support/netns_place.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { StunService } from "../support/stun_service.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
/** Two routers in user space let it through in some seconds. */
const FILE_BYTES = 96 * MIB;
/** Enough to have arrived that the transfer is under way. */
const TROUBLE_AT_BYTES = 4 * MIB;
/** More than what was on its way when the trouble came. */
const FURTHER_BYTES = 8 * MIB;
/** What a person waits without thinking that it hangs. */
const RESUME_LIMIT_MS = 15_000;

/** Who is there when the trouble comes. */
interface Scene {
  readonly internet: Internet;
  readonly meeting: Meeting;
  readonly sharer: Place;
  readonly client: Place;
}

/** Somebody's new address, as the other side is to see it. */
interface Moved {
  readonly who: "sharer" | "client";
  readonly host: string;
}

/**
 * Sends a large file from one place to another and makes trouble in the middle.
 *
 * @param trouble Returns who has another address now, if anybody.
 */
async function sendThrough(
  sharer: PlaceName,
  client: PlaceName,
  trouble: (scene: Scene) => Promise<Moved | void>,
): Promise<void> {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "large"), FILE_BYTES, 1);
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const places = {
    sharer: await PLACES[sharer](internet),
    client: await PLACES[client](internet),
  };
  await using meeting = new Meeting(places.sharer.host, places.client.host, {
    stun: stun.servers,
    path: temp.at("source"),
    directory: temp.at("target"),
  });
  await meeting.meet();
  const { receiver } = meeting;
  await receiver.event("progress", ({ bytesDone }) => bytesDone > TROUBLE_AT_BYTES);
  const moved = await trouble({ internet, meeting, ...places });
  const { bytesDone: bytesBefore } = receiver.eventsNamed("progress").at(-1)!;
  assert.ok(bytesBefore + FURTHER_BYTES < FILE_BYTES, `${bytesBefore} bytes before the trouble`);
  await receiver.event(
    "progress",
    ({ bytesDone }) => bytesDone > bytesBefore + FURTHER_BYTES,
    RESUME_LIMIT_MS,
  );
  await meeting.finish();
  await assertSameTree(temp.at("target", "source"), temp.at("source"));
  if (moved === undefined) return;
  const witness = moved.who === "client" ? meeting.sender : receiver;
  await witness.event("path", ({ address }) => address.startsWith(`${moved.host}:`));
}

netnsTest("a transfer goes on when both routers forget everything", async () => {
  await sendThrough("port-restricted", "port-restricted", async ({ sharer, client }) => {
    await Promise.all([sharer.router!.flush(), client.router!.flush()]);
  });
});

netnsTest("a transfer goes on when a symmetric NAT gives its client another port", async () => {
  await sendThrough("none", "symmetric", ({ client }) => client.router!.flush());
});

netnsTest("a transfer goes on when the client's line gets another address", async () => {
  await sendThrough("none", "port-restricted", async ({ client: { router, site } }) => {
    await router!.renumber();
    return { who: "client", host: site!.externalAddress };
  });
});

netnsTest("a transfer goes on when the sharer's line gets another address", async () => {
  await sendThrough("port-restricted", "none", async ({ sharer: { router, site } }) => {
    await router!.renumber();
    return { who: "sharer", host: site!.externalAddress };
  });
});

netnsTest("a transfer goes on when the client changes to another network", async () => {
  await sendThrough("none", "port-restricted", async ({ internet, client }) => {
    const { site } = await PLACES["port-restricted"](internet);
    await site!.adopt(client.host);
    return { who: "client", host: site!.externalAddress };
  });
});

netnsTest("a transfer moves to the local network when the client comes there", async () => {
  await sendThrough("port-restricted", "port-restricted", async ({ sharer, client, meeting }) => {
    const { address } = await sharer.site!.adopt(client.host);
    const isLan = ({ route }: { readonly route: string }) => route === "lan";
    await Promise.all([meeting.sender.event("path", isLan), meeting.receiver.event("path", isLan)]);
    return { who: "client", host: address! };
  });
});

netnsTest("a transfer goes on after a line that was dead for a while, and says so", async () => {
  await sendThrough("port-restricted", "port-restricted", async ({ client, meeting }) => {
    await client.router!.set({ lossOut: 1, lossIn: 1 });
    await Promise.all([meeting.sender.event("path-lost"), meeting.receiver.event("path-lost")]);
    await client.router!.set({ lossOut: 0, lossIn: 0 });
  });
});
