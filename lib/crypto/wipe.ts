/**
 * Overwriting secrets. What this can promise is small: the engine may have copied an array while
 * compacting its heap, `node:crypto` keeps key schedules of its own until they are collected, and
 * plaintext passes through buffers nobody overwrites. What is overwritten no longer turns up in a
 * core dump, a swap file or a later bug that reads stale memory; that is worth one line, not a claim.
 */

/** Fills every array with zeros; undefined entries are passed over. */
export function wipe(...secrets: readonly (Uint8Array | Uint32Array | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0);
}
