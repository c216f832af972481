import { TransferError } from "./errors.ts";
import type { ConnectionEnd } from "./protocol/connection.ts";

/**
 * Why a transfer ended when its connection did; undefined when the peer said that all is done. The
 * message may hold the peer's text: escape it before it reaches a terminal.
 */
export function connectionError(end: ConnectionEnd): TransferError | undefined {
  if (end.code === "done") return undefined;
  if (!end.byPeer) return new TransferError(end.code, `Cannot go on: ${end.reason}`);
  const said = end.reason === "" ? "" : `: ${end.reason}`;
  return new TransferError(end.code, `The other side ended the transfer${said}`);
}

/** Any failure as the error a caller is told; what is not ours is a bug. */
export function asTransferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TransferError("internal", `Cannot go on: ${message}`, { cause: error });
}
