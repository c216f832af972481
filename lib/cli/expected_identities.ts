/** Whether a command line has to do with identities. */
import type { IdentityArguments, Invocation } from "./invocation.ts";

/** What of a command line says whom one expects. */
export interface ExpectingArguments extends IdentityArguments {
  readonly allow?: readonly string[];
  readonly forPeer?: string;
  readonly fromPeer?: string;
  readonly remember?: string;
}

/** Whether the file of identities is read; then it may be written, too. */
export function usesIdentities(
  invocation: Invocation,
): invocation is Extract<Invocation, ExpectingArguments> {
  return "identity" in invocation && isExpecting(invocation);
}

/** Whether somebody is expected, or the own identity shown. */
export function isExpecting(
  { identity, allow = [], forPeer, fromPeer, remember }: ExpectingArguments,
): boolean {
  return identity || allow.length > 0 ||
    [forPeer, fromPeer, remember].some((who) => who !== undefined);
}
