/** Ends of connections, and exceptions, as the errors that callers of the library are told. */
import { type ErrorCode, TransferError } from "./errors.ts";
import type { ConnectionEnd } from "./protocol/connection_options.ts";
import { VERIFY_MISMATCH_HINT, VERIFY_MISMATCH_TEXT } from "./transfer/session.ts";

/** What to do next when it is the other side's machine that has the trouble: the table's is for ours. */
const HINTS_FOR_PEER: Partial<Record<ErrorCode | "done", string>> = {
  internal: "Its screen says more: see what it says on the other side",
  disk_full: "Free some space on the other side or choose another folder there",
  write_failed: "Check the target folder and its permissions on the other side",
  read_failed: "Check on the other side that the files exist and can be read",
  interrupted:
    "Start it again on the other side, receive with its new code: what has arrived is kept",
};

/**
 * Why a transfer ended when its connection did; undefined when the peer said that all is done. The
 * message may hold the peer's text: escape it before it reaches a terminal.
 */
export function connectionError(end: ConnectionEnd): TransferError | undefined {
  if (end.code === "done") return undefined;
  if (!end.byPeer) return new TransferError(end.code, `Cannot go on: ${end.reason}`);
  const said = end.reason === "" ? "" : `: ${end.reason}`;
  const isWithoutWords = end.reason === VERIFY_MISMATCH_TEXT;
  const hint = isWithoutWords ? VERIFY_MISMATCH_HINT : HINTS_FOR_PEER[end.code];
  return new TransferError(
    end.code,
    `The other side ended the transfer${said}`,
    hint === undefined ? {} : { hint },
  );
}

/** Any failure as the error a caller is told; what is not ours is a bug. */
export function asTransferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransferError("internal", `Cannot go on: ${message}`, { cause: error });
}
