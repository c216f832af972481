/** What `p2pft peers` tells: as one line of `--json`, and as lines for people. Pure. */
import type { CryptoProvider } from "../crypto/provider.ts";
import { encodeHex } from "../bytes/hex.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import type { IdentityBook, Peer } from "../identity/identity_book.ts";
import { ownPublicKey } from "../identity/identity_store.ts";
import { encodeKeyText } from "../identity/key_text.ts";
import { textWidth } from "./text_width.ts";

/** An identity without anything secret. */
export interface KeyReport {
  /** Ed25519, hexadecimal. */
  readonly key: string;
  readonly fingerprint: string;
}

/** A peer without anything secret. */
export interface PeerReport extends KeyReport {
  readonly name: string;
  /** ISO 8601, to the second, UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** Let into every share without a question. */
  readonly always: boolean;
  /** Whether a secret for short codes is kept. */
  readonly shortCodes: boolean;
}

/** What `list` prints. */
export interface PeerListReport {
  readonly event: "peers";
  /** This person's own identity, if there is one. */
  readonly own?: KeyReport;
  readonly peers: readonly PeerReport[];
}

/** What `me` prints. */
export interface OwnReport extends KeyReport {
  readonly event: "own-identity";
  /** The key as `add` takes it. */
  readonly text: string;
  /** Whether it was made now. */
  readonly created: boolean;
}

/** What `add` prints. */
export interface PeerAddedReport {
  readonly event: "peer-added";
  readonly peer: PeerReport;
  /** False for somebody who was remembered so before. */
  readonly isNew: boolean;
  /** Names that could be taken for the new one. */
  readonly lookAlikes: readonly string[];
}

/** What `rename` prints. */
export interface PeerRenamedReport {
  readonly event: "peer-renamed";
  readonly from: string;
  readonly peer: PeerReport;
  /** Names that could be taken for the new one. */
  readonly lookAlikes: readonly string[];
}

/** What `remove` prints. */
export interface PeerRemovedReport {
  readonly event: "peer-removed";
  readonly peer: PeerReport;
}

/** The one line of each. */
export type PeersReport =
  | PeerListReport
  | OwnReport
  | PeerAddedReport
  | PeerRenamedReport
  | PeerRemovedReport;

/** What `list` tells of a book. */
export function peerListReport(provider: CryptoProvider, book: IdentityBook): PeerListReport {
  const own = ownPublicKey(provider, book);
  return {
    event: "peers",
    ...(own === undefined ? {} : { own: keyReport(provider, own) }),
    peers: book.peers.map((peer) => peerReport(provider, peer)),
  };
}

/** What `me` tells. */
export function ownReport(
  provider: CryptoProvider,
  publicKey: Uint8Array,
  created: boolean,
): OwnReport {
  const text = encodeKeyText(publicKey);
  return { event: "own-identity", ...keyReport(provider, publicKey), text, created };
}

/** What is told of a peer. */
export function peerReport(provider: CryptoProvider, peer: Peer): PeerReport {
  return {
    name: peer.name,
    ...keyReport(provider, peer.publicKey),
    firstSeen: timeText(peer.firstSeenSeconds),
    lastSeen: timeText(peer.lastSeenSeconds),
    always: peer.isAlwaysAdmitted,
    shortCodes: peer.pairSecret !== undefined,
  };
}

/** The lines of a report for people; names are plain text already. */
export function peersLines(report: PeersReport): string[] {
  switch (report.event) {
    case "peers":
      return listLines(report);
    case "own-identity":
      return [
        ...(report.created ? ["Made a new key. It stays on this machine."] : []),
        `Your fingerprint:  ${report.fingerprint}`,
        `Your key:          ${report.text}`,
        "Others remember you with: p2pft peers add NAME KEY",
      ];
    case "peer-added":
      return [
        ...lookAlikeLines(report),
        report.isNew
          ? `Remembered "${report.peer.name}" (${report.peer.fingerprint})`
          : `"${report.peer.name}" (${report.peer.fingerprint}) was remembered already`,
      ];
    case "peer-renamed":
      return [
        ...lookAlikeLines(report),
        `"${report.from}" is now "${report.peer.name}" (${report.peer.fingerprint})`,
      ];
    case "peer-removed":
      return [`Forgot "${report.peer.name}" (${report.peer.fingerprint})`];
    default:
      return report satisfies never;
  }
}

function lookAlikeLines({ peer, lookAlikes }: PeerAddedReport | PeerRenamedReport): string[] {
  return lookAlikes.map((name) => `Warning: "${peer.name}" could be taken for "${name}"`);
}

function listLines({ own, peers }: PeerListReport): string[] {
  const lines = own === undefined ? [] : [`You: ${own.fingerprint}`];
  if (peers.length === 0) return [...lines, "Nobody is remembered."];
  const columns = Math.max(...peers.map(({ name }) => textWidth(name)));
  return [
    ...lines,
    ...peers.map(({ name, fingerprint, lastSeen, always, shortCodes }) =>
      [
        name + " ".repeat(columns - textWidth(name)),
        fingerprint,
        `last seen ${lastSeen.slice(0, 10)}`,
        ...(always ? ["always let in"] : []),
        ...(shortCodes ? ["short codes"] : []),
      ].join("  ")
    ),
  ];
}

function keyReport(provider: CryptoProvider, publicKey: Uint8Array): KeyReport {
  return { key: encodeHex(publicKey), fingerprint: fingerprintOf(provider, publicKey) };
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
