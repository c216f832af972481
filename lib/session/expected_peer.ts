/** Whether the other side of a session is whom the person wanted to meet. */
import { TransferError } from "../errors.ts";
import { newKeyHint } from "../identity/other_key.ts";

/** Whom the person wants to meet, and nobody else. */
export interface ExpectedPeer {
  /** Of the key that has to be shown. */
  readonly fingerprint: string;
  /** What it is called in the book; absent for somebody known by the fingerprint only. */
  readonly name?: string;
}

/**
 * Why the other side is not who it has to be; undefined when it is.
 *
 * @param fingerprint Of the key that it shows; undefined when it shows none.
 */
export function findMismatch(
  { name, fingerprint: wanted }: ExpectedPeer,
  fingerprint: string | undefined,
): TransferError | undefined {
  if (fingerprint === wanted) return undefined;
  const who = name === undefined ? wanted : `"${name}"`;
  if (fingerprint === undefined) {
    return new TransferError(
      "authentication_failed",
      `Cannot be sure that the other side is ${who}: it shows no identity`,
      { hint: "Ask them to use --identity too" },
    );
  }
  if (name === undefined) {
    return new TransferError(
      "authentication_failed",
      `The other side is not ${who}: it shows ${fingerprint}`,
      { hint: "Somebody else uses this code: compare fingerprints by other means" },
    );
  }
  return new TransferError(
    "authentication_failed",
    `The other side is not the ${who} who is remembered: it shows ${fingerprint}, and "${name}" ` +
      `has ${wanted}. It is a new machine of theirs, or somebody who pretends to be them`,
    { hint: newKeyHint(name) },
  );
}
