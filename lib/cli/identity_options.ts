/** What of identities the library is given. */
import type { IdentityOptions } from "../options.ts";
import { decodeShareCode } from "../rendezvous/share_code.ts";
import type { CommandContext } from "./context.ts";
import { type ExpectingArguments, isExpecting } from "./expected_identities.ts";

/**
 * What the library is to know of identities; undefined for a run without any.
 *
 * @param code The code of the other side, if there is one: a short one is a secret of two who both say
 * who they are, and needs no other word for that.
 */
export async function identityOptions(
  invocation: ExpectingArguments,
  context: CommandContext,
  code?: string,
): Promise<IdentityOptions | undefined> {
  const folder = context.identityFolder(invocation.home);
  const isShort = code !== undefined && isShortCode(code);
  if (!isExpecting(invocation) && !(isShort && await isGranted(folder, context))) return undefined;
  // The program has looked that there is one.
  const store = await context.openIdentities(folder!);
  return { store, shows: invocation.identity || isShort || invocation.forPeer !== undefined };
}

/** Whether a code is one between two who know each other, as far as can be told. */
function isShortCode(code: string): boolean {
  const decoded = decodeShareCode(code, { allowLoopback: true });
  return !decoded.ok && decoded.problem.reason === "short_code";
}

/** Whether the folder may be used although nobody was asked for it. */
async function isGranted(folder: string | undefined, { permissions }: CommandContext) {
  if (folder === undefined) return false;
  const states = await Promise.all(
    (["read", "write"] as const).map((name) => permissions({ name, path: folder })),
  );
  return states.every(({ state }) => state === "granted");
}
