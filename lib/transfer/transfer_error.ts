/** What goes wrong in a transfer, as the error that callers of the library are told. */
import { type ErrorCode, TransferError } from "../errors.ts";
import { StorageError } from "../storage/storage.ts";

/** Makes a {@linkcode TransferError} of whatever was thrown while writing. */
export function transferError(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const options = { cause: error };
  if (!(error instanceof StorageError)) {
    return new TransferError("internal", "Transfer failed on a bug", options);
  }
  switch (error.kind) {
    case "no_space":
      return new TransferError("disk_full", error.message, options);
    case "permission_missing":
      return new TransferError("permission_missing", error.message, {
        ...options,
        hint: "Run with --allow-read and --allow-write for the target folder",
      });
    default:
      return new TransferError("write_failed", error.message, options);
  }
}

/** What to do next, for some of the errors. */
type Hints = Partial<Record<ErrorCode, string>>;

/** What to do next when it is the other side's machine that has the trouble: the table's is for ours. */
const HINTS_FOR_PEER: Hints = {
  internal: "Its screen says more: see what it says on the other side",
  disk_full: "Free some space on the other side or choose another folder there",
  write_failed: "Check the target folder and its permissions on the other side",
  read_failed: "Check on the other side that the files exist and can be read",
  interrupted:
    "Start it again on the other side, receive with its new code: what has arrived is kept",
};

/**
 * The error when the other side says that it goes no further.
 *
 * @param what What it did, as `The other side ended the transfer`.
 * @param told What it said: a code, and a text, perhaps empty, that is not to be trusted.
 * @param hints Better ones than the usual, where it is known what was attempted.
 */
export function peerError(
  what: string,
  { code, text }: { readonly code: ErrorCode; readonly text: string },
  hints: Hints = {},
): TransferError {
  const hint = hints[code] ?? HINTS_FOR_PEER[code];
  const said = text === "" ? "" : `: ${text}`;
  return new TransferError(code, `${what}${said}`, hint === undefined ? {} : { hint });
}
