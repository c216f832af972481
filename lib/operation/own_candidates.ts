/** Tells a session's peer where else this machine can be found. */
import type { Candidate } from "../nat/candidate.ts";
import type { PathSocket } from "../nat/path.ts";
import type { Connection } from "../protocol/connection.ts";
import type { Instant } from "../time.ts";

/** The ways to this machine, and the sockets they lead to. */
export interface OwnCandidates {
  /** At most 8. */
  readonly candidates: readonly Candidate[];
  readonly sockets: readonly PathSocket[];
}

/** Tells all the ways that are known now; the session moves to the best that works. */
export function tellCandidates(connection: Connection, now: Instant, own: OwnCandidates): void {
  const sockets = [...own.sockets];
  // A session that came about through another socket goes on there.
  const { socket, remote } = connection.path;
  if (!sockets.some(({ index }) => index === socket)) {
    sockets.push({ index: socket, family: remote.family });
  }
  connection.setSockets(sockets);
  if (own.candidates.length > 0) connection.setLocalCandidates(now, own.candidates);
}
