/**
 * Where a symbolic link of a share leads, judged by its text alone (docs/transfer.md, "Links"). What
 * is on the disk on the way is looked at in `link_maker.ts`.
 */
import { MAX_LINK_COMPONENTS } from "../limits.ts";

/** Why a link is not made, to follow its path in a sentence. */
export type LinkRefusal = "it leads out of its top-level folder" | "its target has too many parts";

/** Where a link leads, or why it must not lead there. */
export type LinkRoute =
  | {
    /**
     * What has to be passed to get there, as paths within the share: none may be a link, or the text
     * would lead elsewhere than it says [LINK-3]. Many times as long as the text, so not to be kept.
     */
    readonly passed: readonly string[];
  }
  | { readonly refusal: LinkRefusal };

const OUTSIDE: LinkRoute = { refusal: "it leads out of its top-level folder" };

/**
 * Judges the text of a link [LINK-2]. One that is in no folder has nowhere to lead to.
 *
 * @param storedAs Path of the link within the share, as it is stored.
 * @param target What the link holds; of a peer.
 */
export function routeOfLink(storedAs: string, target: string): LinkRoute {
  if (target.startsWith("/")) return OUTSIDE;
  const at = storedAs.split("/").slice(0, -1);
  if (at.length === 0) return OUTSIDE;
  const components = target.split("/");
  if (components.length > MAX_LINK_COMPONENTS) return { refusal: "its target has too many parts" };
  const passed: string[] = [];
  let isEntered = false;
  for (const component of components) {
    if (isEntered) passed.push(at.join("/"));
    isEntered = false;
    if (component === "" || component === ".") continue;
    if (component === "..") {
      at.pop();
      // Not even for a moment: what is above is not known to be where it seems.
      if (at.length === 0) return OUTSIDE;
    } else {
      at.push(component);
      isEntered = true;
    }
  }
  return { passed };
}
