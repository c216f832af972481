/** `p2pft peers`: show and change whom this person remembers. */
import { constantTimeEqual } from "../bytes/equal.ts";
import { selectProvider } from "../crypto/select_provider.ts";
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import { findPeer, type IdentityBook, type Peer, removePeer } from "../identity/identity_book.ts";
import { type IdentityStore, ownPublicKey } from "../identity/identity_store.ts";
import { decodeKeyText } from "../identity/key_text.ts";
import { renamePeer } from "../identity/named_peers.ts";
import { PETNAME_PROBLEMS } from "../identity/petname.ts";
import { rememberPeer } from "../identity/remember.ts";
import { systemRandom } from "../transport/random.ts";
import type { CommandContext } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import type { PeersAction, PeersInvocation } from "./invocation.ts";
import { jsonLine, JsonReporter } from "./json_reporter.ts";
import {
  ownReport,
  peerListReport,
  peerReport,
  peersLines,
  type PeersReport,
} from "./peers_report.ts";
import { TextReporter } from "./text_reporter.ts";

/** Runs the command and returns the exit status. */
export async function runPeers(
  invocation: PeersInvocation,
  context: CommandContext,
): Promise<number> {
  const { terminal, streams, installation, clock, signal } = context;
  const { json, quiet, verbose, action, home } = invocation;
  try {
    // The program has looked that there is one.
    const store = await context.openIdentities(context.identityFolder(home)!);
    const tools = { provider: selectProvider(), random: systemRandom, timeMs: context.timeMs };
    const report = await act(action, store, tools);
    if (json) streams.writeOutput(`${jsonLine(report)}\n`);
    else print(report, quiet, context);
    return 0;
  } catch (error) {
    const reporter = json
      ? new JsonReporter(streams, verbose)
      : new TextReporter(terminal, { role: "verify", quiet, verbose, installation, clock, signal });
    const event = errorEventOf(error);
    reporter.handleException(error);
    reporter.handleEvent(event);
    return event.exit;
  }
}

/** What the command works with beside the store. */
interface PeersTools {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  /** The time of day: milliseconds since 1970. */
  readonly timeMs: () => number;
}

async function act(
  action: PeersAction,
  store: IdentityStore,
  { provider, random, timeMs }: PeersTools,
): Promise<PeersReport> {
  const book = await store.read();
  switch (action.kind) {
    case "list":
      return peerListReport(provider, book);
    case "me": {
      const publicKey = ownPublicKey(provider, book);
      if (publicKey !== undefined) return ownReport(provider, publicKey, false);
      if (action.create) {
        const secretKey = await store.ownKey(random);
        return ownReport(provider, provider.signingKeyOf(secretKey), true);
      }
      throw new TransferError("usage", "Cannot show your key: there is none yet", {
        hint: "Make one with p2pft peers me --create; send, share, wait and receive make one " +
          "with --identity",
      });
    }
    case "add": {
      const publicKey = decodeKeyText(action.key);
      const own = ownPublicKey(provider, book);
      if (own !== undefined && constantTimeEqual(own, publicKey)) {
        throw new TransferError("usage", `Cannot remember "${action.name}": the key is your own`, {
          hint: "Ask them for the key that p2pft peers me prints on their machine",
        });
      }
      const request = { publicKey, name: action.name };
      const add = (book: IdentityBook) =>
        rememberPeer(provider, book, request, Math.floor(timeMs() / 1000));
      // Tried before anything is made on the disk.
      add(book);
      const { peer, lookAlikes, isNew } = await store.update(add);
      return { event: "peer-added", peer: peerReport(provider, peer), isNew, lookAlikes };
    }
    case "rename":
      // Looked for before anything is made on the disk, and again in what is there by then.
      soughtPeer(provider, book, action.peer);
      return await store.update((book) => {
        const peer = soughtPeer(provider, book, action.peer);
        const renamed = renamedBook(book, peer, action.name);
        const report = {
          event: "peer-renamed",
          from: peer.name,
          peer: peerReport(provider, renamed.peer),
          lookAlikes: renamed.lookAlikes.map(({ name }) => name),
        } as const;
        return { book: renamed.book, result: report };
      });
    case "remove":
      soughtPeer(provider, book, action.peer);
      return await store.update((book) => {
        const peer = soughtPeer(provider, book, action.peer);
        const report = { event: "peer-removed", peer: peerReport(provider, peer) } as const;
        return { book: removePeer(book, peer), result: report };
      });
    default:
      return action satisfies never;
  }
}

function print(report: PeersReport, quiet: boolean, { terminal }: CommandContext): void {
  for (const line of peersLines(report)) {
    if (report.event === "peers" || report.event === "own-identity") terminal.print(line);
    else if (!quiet || line.startsWith("Warning: ")) terminal.note(line);
  }
}

/** @throws {TransferError} `usage` unless exactly one peer is meant. */
function soughtPeer(provider: CryptoProvider, book: IdentityBook, text: string): Peer {
  const found = findPeer(provider, book, text);
  if (found.outcome === "found") return found.peer;
  const sought = `Cannot find the peer "${text}"`;
  if (found.outcome === "none") {
    throw new TransferError(
      "usage",
      `${sought}: nobody of that name or fingerprint is remembered`,
      {
        hint: "See p2pft peers list",
      },
    );
  }
  const meant = found.peers.map(({ name, publicKey }) =>
    `"${name}" (${fingerprintOf(provider, publicKey)})`
  );
  throw new TransferError("usage", `${sought}: it could be ${meant.join(" or ")}`, {
    hint: "Give more of the fingerprint",
  });
}

/** @throws {TransferError} `usage` for a name that cannot be given. */
function renamedBook(book: IdentityBook, peer: Peer, name: string) {
  const result = renamePeer(book, peer, name.normalize("NFC"));
  switch (result.outcome) {
    case "renamed":
      return result;
    case "name_taken":
      throw new TransferError(
        "usage",
        `Cannot call the peer "${result.peer.name}": another one is called so`,
        { hint: "Rename or remove that one first, or choose another name" },
      );
    case "bad_name":
      throw new TransferError(
        "usage",
        `Cannot call the peer "${name}": the name ${PETNAME_PROBLEMS[result.problem]}`,
        { hint: "Choose another name" },
      );
    default:
      return result satisfies never;
  }
}
