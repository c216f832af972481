// deno-lint-ignore-file no-console
/**
 * Serves a folder to the people on a list, for as long as it runs: a program built on p2pft as a
 * library. Who is on the list is let in, at any moment and any number of them at a time; all others
 * are told that they are refused, and see nothing of the folder. Whoever is taken off the list while
 * the program runs is sent away.
 *
 * ```
 * deno run --unstable-net -A serve_folder.ts FOLDER LIST HOME
 * ```
 *
 * LIST is a file with the fingerprint of one person a line (they see theirs with `p2pft peers list`,
 * and receive with `--identity`); HOME is the folder where this program keeps its own identity. With
 * `--loopback` behind these words both sides may be on one machine.
 */
import { type ClientRequest, openIdentities, share, type TransferEvent } from "@p2pft/cli/mod.ts";

const [folder, list, home, loopback] = Deno.args;
if (folder === undefined || list === undefined || home === undefined) {
  console.error("Usage: serve_folder.ts FOLDER LIST HOME [--loopback]");
  Deno.exit(2);
}

/** How often the list is looked at, ms. */
const LOOK_MS = 500;

/** The fingerprints on the list, as they are now. */
async function readList(path: string): Promise<ReadonlySet<string>> {
  const lines = (await Deno.readTextFile(path)).split("\n").map((line) => line.trim());
  return new Set(lines.filter((line) => line !== "" && !line.startsWith("#")));
}

/** Asked about each client before it sees anything; many may be asked about at a time. */
async function admit({ identity }: ClientRequest): Promise<boolean> {
  return identity !== undefined && (await readList(list!)).has(identity.fingerprint);
}

/** On one machine nobody outside has to be asked how it is seen. */
const NOWHERE_ELSE = {
  allowLoopback: true,
  addresses: ["127.0.0.1"],
  stunServers: [],
  portMapping: false,
};

const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => stop.abort());

await using sharing = await share([folder], {
  identity: { store: openIdentities(home), shows: true },
  admit,
  maxClients: 32, // at a time; others wait for a place
  signal: stop.signal,
  ...(loopback === "--loopback" ? NOWHERE_ELSE : {}),
});

/** Sends away who is not on the list any more. */
async function lookAtList(): Promise<void> {
  const allowed = await readList(list!);
  for (const { session, state, identity } of sharing.clients) {
    const isIn = state === "admitted" || state === "moving" || state === "silent";
    if (isIn && !allowed.has(identity?.fingerprint ?? "")) sharing.kick(session);
  }
}

const timer = setInterval(() => lookAtList().catch((error) => console.error(error)), LOOK_MS);

/** What is told of a client, by the number of its session; the names are as the peer gave them. */
function tell(event: TransferEvent): void {
  switch (event.event) {
    case "code":
      return console.log(`code ${event.code}`);
    case "identity":
      return console.log(`${event.session}: is ${event.name ?? event.fingerprint}`);
    case "admission":
      return console.log(`${event.session}: ${event.admitted ? "let in" : "refused"}`);
    case "kicked":
      return console.log(`${event.session}: sent away`);
    case "done":
      return console.log(`${event.session}: took ${event.items} items, ${event.bytes} bytes`);
    case "error":
      return console.log(`${event.session ?? "the share"}: ${JSON.stringify(event.message)}`);
    case "closed":
      return console.log(`closed: ${event.clients} clients took ${event.bytes} bytes`);
  }
}

// Events have to be read: they say what happens, and wait until they are.
for await (const event of sharing) tell(event);
clearInterval(timer);
