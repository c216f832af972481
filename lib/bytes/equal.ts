/**
 * Whether two byte strings are equal, in time that depends on their lengths only. For tags, codes
 * and commitments; where nothing is secret a plain loop is as good.
 */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}
