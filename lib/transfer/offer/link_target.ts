/**
 * Where a symbolic link of a share leads, judged by its text alone (docs/transfer.md, "Links"). What
 * is on the disk on the way is looked at in `link_maker.ts`.
 */

/** Where a link leads. */
export interface LinkRoute {
  /**
   * What has to be passed to get there, as paths within the share: none may be a link, or the text
   * would lead elsewhere than it says [LINK-3].
   */
  readonly passed: readonly string[];
}

/**
 * Judges the text of a link.
 *
 * @param storedAs Path of the link within the share, as it is stored.
 * @param target What the link holds; of a peer.
 * @returns Undefined when it is absolute or leaves the top-level folder that the link is in [LINK-2];
 * a link that is in none has nowhere to lead to.
 */
export function routeOfLink(storedAs: string, target: string): LinkRoute | undefined {
  if (target.startsWith("/")) return undefined;
  const at = storedAs.split("/").slice(0, -1);
  if (at.length === 0) return undefined;
  const passed: string[] = [];
  let isEntered = false;
  for (const component of target.split("/")) {
    if (isEntered) passed.push(at.join("/"));
    isEntered = false;
    if (component === "" || component === ".") continue;
    if (component === "..") {
      at.pop();
      // Not even for a moment: what is above is not known to be where it seems.
      if (at.length === 0) return undefined;
    } else {
      at.push(component);
      isEntered = true;
    }
  }
  return { passed };
}
