/** From the command line of `send`, `share` and `wait` to the options of the library. */
import type { IdentityOptions, ShareOptions } from "../options.ts";
import { transferOptions } from "./common_options.ts";
import type { World } from "./context.ts";
import type { ShareInvocation } from "./invocation.ts";

/** What is not in the words: who decides, and who one is. */
export type ShareDecisions =
  & Pick<ShareOptions, "admit">
  & { readonly decide: NonNullable<ShareOptions["take"]>["decide"] }
  & { readonly identity: IdentityOptions | undefined };

/** The options behind a command line. */
export function shareOptions(
  invocation: ShareInvocation,
  world: World,
  { admit, decide, identity }: ShareDecisions,
): ShareOptions {
  const { addresses, localAddresses, take, forPeer, clientLimit, congestion } = invocation;
  const { maxClients, readLimit, expiresMs } = invocation;
  return {
    ...transferOptions(invocation, world),
    ...(addresses.length === 0
      ? {}
      : localAddresses
      ? { extraAddresses: addresses }
      : { addresses }),
    private: invocation.private,
    ...(invocation.allow.length === 0 ? {} : { allow: invocation.allow }),
    ...(forPeer === undefined ? {} : { forPeer }),
    ...(identity === undefined ? {} : { identity }),
    exclude: invocation.exclude,
    gitignore: invocation.gitignore,
    symlinks: invocation.symlinks,
    ...(clientLimit === undefined ? {} : { clientLimitBytesPerSecond: clientLimit }),
    ...(congestion === undefined ? {} : { congestion }),
    ...(maxClients === undefined ? {} : { maxClients }),
    ...(readLimit === undefined ? {} : { readLimit }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...(take === undefined || decide === undefined
      ? {}
      : { take: { directory: take.directory, decide } }),
    // Where nobody is asked the client need not wait, and is not told to.
    ...(admit === undefined ? {} : { admit }),
  };
}
