/** What both sides check of a greeting, and how they say that it cannot go on [XFER-3] [XFER-5]. */
import { TransferError } from "../errors.ts";

/** The error when only one side asked for the words. */
export function verifyMismatch(isWantedHere: boolean): TransferError {
  const message = isWantedHere
    ? "Cannot compare words: the other side does not use --verify"
    : "Cannot go on without words: the other side uses --verify";
  return new TransferError("authentication_failed", message, {
    hint: VERIFY_MISMATCH_HINT,
  });
}

/** What the peer is told then. */
export const VERIFY_MISMATCH_TEXT = "only one side uses --verify";

/** What to do then, on either side. */
export const VERIFY_MISMATCH_HINT = "Use --verify on both sides, or on neither";

/** Names both versions [XFER-3]. */
export function versionMismatchText(ownVersion: number, peerVersion: number): string {
  return `this side speaks version ${ownVersion}, the other ${peerVersion}`;
}
