/** `p2pft peers`: show and change whom this person remembers. */
import { selectProvider } from "../crypto/select_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { TransferError } from "../errors.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import {
  findPeer,
  type IdentityBook,
  type Peer,
  removePeer,
  renamePeer,
} from "../identity/identity_book.ts";
import type { IdentityStore } from "../identity/identity_store.ts";
import { PETNAME_PROBLEMS } from "../identity/petname.ts";
import type { CommandContext } from "./context.ts";
import { errorEventOf } from "./failure.ts";
import type { PeersAction, PeersInvocation } from "./invocation.ts";
import { jsonLine, JsonReporter } from "./json_reporter.ts";
import { peerListReport, peerReport, peersLines, type PeersReport } from "./peers_report.ts";
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
    const report = await act(action, store, selectProvider());
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

async function act(
  action: PeersAction,
  store: IdentityStore,
  provider: CryptoProvider,
): Promise<PeersReport> {
  const book = await store.read();
  switch (action.kind) {
    case "list":
      return peerListReport(provider, book);
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
    if (report.event === "peers") terminal.print(line);
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
