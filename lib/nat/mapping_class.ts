/**
 * How a NAT chooses the outside port of a socket, in the terms of RFC 4787: what a peer needs to
 * know to judge its chances. Filtering is left out on purpose: it is found by trying.
 */

/**
 * `none`: no NAT at all. `endpoint_independent`: one outside port whoever is talked to (EIM).
 * `address_dependent`: one for each remote address (ADM). The last two have one for each remote
 * address and port (APDM), which follow each other in steps or at random.
 */
export type MappingClass =
  | "unknown"
  | "none"
  | "endpoint_independent"
  | "address_dependent"
  | "port_dependent_stepping"
  | "port_dependent_random";

/** All classes; the index is the number that stands in a code. */
export const MAPPING_CLASSES: readonly MappingClass[] = [
  "unknown",
  "none",
  "endpoint_independent",
  "address_dependent",
  "port_dependent_stepping",
  "port_dependent_random",
];
