/**
 * Goal: what happens to a sharer in the middle of several transfers ends none of them: its router
 * restarts, its line gets another address, its machine sleeps.
 * Method: one share and three clients, processes of the program in namespaces, with a rate that makes
 * the transfers outlast the trouble. Needs root on Linux.
 */
import assert from "node:assert/strict";
import { CliProcess } from "../support/cli_process.ts";
import { Internet } from "../support/internet.ts";
import { type MakePlace, nat, type Place, PLACES } from "../support/netns_place.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { StunService } from "../support/stun_service.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";

const MIB = 1_048_576;
const LARGE_BYTES = 16 * MIB;
/** For all together; each of three clients takes the large file in 20 s. */
const LIMIT = "2.4M";
/** Enough to have arrived that the transfer is under way. */
const TROUBLE_AT_BYTES = 2 * MIB;
/** More than what was on its way when the trouble came. */
const FURTHER_BYTES = 2 * MIB;
/** Silence is noticed after some seconds; then each has to get its part of the limit. */
const RESUME_LIMIT_MS = 25_000;
const WHOLE_LIMIT_MS = 120_000;

/** One share under way and its clients. */
interface Scene {
  readonly place: Place;
  readonly sharer: CliProcess;
  readonly clients: readonly CliProcess[];
}

/** Events that tell a person that a client was gone and is back. */
function told(client: CliProcess): string[] {
  const names = new Set<string>(["path-lost", "reconnecting", "connected", "path"]);
  return client.events.map(({ event }) => event).filter((name) => names.has(name));
}

/** Waits until more has arrived at every client than was on its way. */
async function goOn(clients: readonly CliProcess[]): Promise<void> {
  await Promise.all(clients.map((client) => {
    const before = client.eventsNamed("progress").at(-1)?.bytesDone ?? 0;
    const isFurther = ({ bytesDone }: { readonly bytesDone: number }) =>
      bytesDone > before + FURTHER_BYTES;
    return client.event("progress", isFurther, RESUME_LIMIT_MS);
  }));
}

/** Shares a tree with a client in each of the places, and makes trouble in the middle of all. */
async function shareThrough(
  sharerPlace: MakePlace,
  clientPlaces: readonly MakePlace[],
  trouble: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 20, fileBytes: 20_000 });
  writeFileSync(temp.at("source", "tree", "large"), LARGE_BYTES, 1);
  await using internet = await Internet.open();
  const stun = internet.use(await StunService.start(internet));
  const servers = stun.servers.flatMap((server) => ["--stun", server]);
  const words = ["--json", "--yes", "--no-portmap", ...servers];
  const place = await sharerPlace(internet);
  const readLimit = ["--read-limit", `${clientPlaces.length}`];
  await using sharer = new CliProcess(
    ["share", ...words, "--limit", LIMIT, ...readLimit, "--", temp.at("source", "tree")],
    { wrapper: place.host.namespace.wrapper },
  );
  const { code } = await sharer.event("code");
  await using stack = new AsyncDisposableStack();
  const clients = await Promise.all(clientPlaces.map(async (makePlace, index) => {
    const { host } = await makePlace(internet);
    const client = stack.use(
      new CliProcess(["receive", ...words, "-o", temp.at(`target${index}`), code], {
        wrapper: host.namespace.wrapper,
      }),
    );
    const reply = client.event("reply-code");
    reply.then((event) => sharer.type(event.code), () => {}); // most ends come without one
    await client.event("progress", ({ bytesDone }) => bytesDone > TROUBLE_AT_BYTES);
    return client;
  }));
  await trouble({ place, sharer, clients });
  for (const [index, client] of clients.entries()) {
    await client.expectExit(0, WHOLE_LIMIT_MS);
    await assertSameTree(temp.at(`target${index}`, "tree"), temp.at("source", "tree"));
  }
  await sharer.expectExit(0);
  const { reason, clients: served } = await sharer.event("closed");
  assert.deepEqual([reason, served], ["served", clients.length]);
}

const HOME = PLACES["port-restricted"];
const PUBLIC = PLACES["none"];

netnsTest("three transfers go on when the sharer's router restarts with other ports", async () => {
  const router = nat({ ports: "random" });
  await shareThrough(router, [HOME, HOME, PUBLIC], async ({ place, clients }) => {
    await place.router!.flush();
    await goOn(clients);
    for (const client of clients) assert.deepEqual(client.eventsNamed("reconnecting"), []);
  });
});

netnsTest("three transfers go on when the sharer's line gets another address", async () => {
  // A router that lets in only whom its side has called would keep the new address out.
  const open = nat({ filtering: "endpoint_independent" });
  await shareThrough(HOME, [PUBLIC, PUBLIC, open], async ({ place, clients }) => {
    await place.router!.renumber();
    const isThere = ({ address }: { readonly address: string }) =>
      address.startsWith(`${place.site!.externalAddress}:`);
    await Promise.all(clients.map((client) => client.event("path", isThere, RESUME_LIMIT_MS)));
    await goOn(clients);
    for (const client of clients) assert.deepEqual(client.eventsNamed("reconnecting"), []);
  });
});

/** Longer than the 30 s after which a session is lost. */
const SLEEP_MS = 40_000;

netnsTest("three transfers go on when the sharer's machine wakes after 40 s", async () => {
  await shareThrough(PUBLIC, [HOME, HOME, PUBLIC], async ({ sharer, clients }) => {
    sharer.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, SLEEP_MS));
    sharer.kill("SIGCONT");
    const isAgain = ({ resumes }: { readonly resumes?: number }) => resumes !== undefined;
    await Promise.all(clients.map((client) => client.event("connected", isAgain)));
    for (const client of clients) {
      assert.deepEqual(told(client).filter((name) => name !== "path"), [
        "connected",
        "path-lost",
        "reconnecting",
        "connected",
      ]);
    }
    await goOn(clients);
  });
});
