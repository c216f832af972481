/**
 * In which folder the identity and the peers are kept (docs/identities.md, "Where it is"). Pure: the
 * system and its variables are handed in.
 */

/** Set by people who want it elsewhere. */
export const HOME_VARIABLE = "P2PFT_HOME";

/** All variables that are looked at on any system, in the order of docs/cli.md. */
export const PLACE_VARIABLES = [HOME_VARIABLE, "XDG_DATA_HOME", "HOME", "LOCALAPPDATA"] as const;

/** What the place depends on. */
export interface PlaceOptions {
  /** As `Deno.build.os` names it. */
  readonly os: string;
  /** A variable of the environment; undefined also where it may not be read. */
  readonly env: (name: string) => string | undefined;
  /** The folder that was asked for on the command line. */
  readonly given?: string;
}

/** The folder; undefined when nothing says where it is. */
export function identityFolder({ os, env, given }: PlaceOptions): string | undefined {
  // An empty variable is as good as none.
  const chosen = given || env(HOME_VARIABLE);
  if (chosen) return chosen;
  if (os === "windows") {
    // Not the roaming folder, which is copied over the network.
    const base = env("LOCALAPPDATA");
    return base ? `${base}\\p2pft` : undefined;
  }
  const home = env("HOME");
  if (os === "darwin") return home ? `${home}/Library/Application Support/p2pft` : undefined;
  // Data, not configuration, which people put into repositories. Relative paths are to be ignored:
  // XDG Base Directory Specification, "Basics".
  const data = env("XDG_DATA_HOME");
  if (data?.startsWith("/")) return `${data}/p2pft`;
  return home ? `${home}/.local/share/p2pft` : undefined;
}
