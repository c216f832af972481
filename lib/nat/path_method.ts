/** How two machines came to have a path, as people and programs are told. */

/**
 * `direct`: what was sent first arrived. `mapped`: through a port that a router opened on request.
 * `punched`: both sides sent first. `predicted`: through a port that was foreseen. `birthday`:
 * through one of many ports tried.
 */
export type PathMethod = "direct" | "mapped" | "punched" | "predicted" | "birthday";

/** What is expected of a pair; `unknown` when nothing says that the two meet at all. */
export type ExpectedMethod = PathMethod | "unknown";
