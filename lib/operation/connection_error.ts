/** Ends of connections, and exceptions, as the errors that callers of the library are told. */
import { TransferError } from "../errors.ts";
import type { ConnectionEnd } from "../protocol/connection_options.ts";
import { VERIFY_MISMATCH_HINT, VERIFY_MISMATCH_TEXT } from "../transfer/greeting.ts";
import { peerError } from "../transfer/transfer_error.ts";

/**
 * Why a transfer ended when its connection did; undefined when the peer said that all is done. The
 * message may hold the peer's text: escape it before it reaches a terminal.
 */
export function connectionError(end: ConnectionEnd): TransferError | undefined {
  if (end.code === "done") return undefined;
  if (!end.byPeer) return new TransferError(end.code, `Cannot go on: ${end.reason}`);
  const error = peerError("The other side ended the transfer", {
    code: end.code,
    text: end.reason,
  });
  if (end.reason !== VERIFY_MISMATCH_TEXT) return error;
  return new TransferError(error.code, error.message, { hint: VERIFY_MISMATCH_HINT });
}

/** Any failure as the error a caller is told; what is not ours is a bug. */
export function asTransferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransferError("internal", `Cannot go on: ${message}`, { cause: error });
}
