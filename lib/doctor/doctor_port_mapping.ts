/** What `doctor` tells of the request for a port, at the moment of its report. */
import type { DoctorPortMapping } from "./doctor_report.ts";
import { formatSocketAddress } from "../nat/address.ts";
import type { PortMapOutcome } from "../portmap/lease.ts";
import type { PortMapping } from "../portmap/port_mapping.ts";

/**
 * What came of asking routers for a port.
 *
 * @param portMapping Undefined when no router was asked.
 * @param isWanted Whether one was to be asked, if there is any.
 */
export function reportPortMapping(
  portMapping: Pick<PortMapping, "mapped" | "outcomes"> | undefined,
  isWanted: boolean,
): DoctorPortMapping {
  if (portMapping === undefined) {
    // Without a private address there is no router that translates.
    const outcome = isWanted ? "not needed" : "off";
    return { outcomes: { pcp: outcome, "nat-pmp": outcome, upnp: outcome } };
  }
  const { mapped, outcomes: { pcp, "nat-pmp": natPmp, upnp } } = portMapping;
  const last = (outcome: PortMapOutcome) => outcome === "asking" ? "no answer so far" : outcome;
  return {
    ...(mapped ? { by: mapped.by, external: formatSocketAddress(mapped.external) } : {}),
    outcomes: { pcp: last(pcp), "nat-pmp": last(natPmp), upnp: last(upnp) },
  };
}
