/**
 * What a router's UPnP description says: the services that map ports, and where they are controlled
 * (UPnP Device Architecture 1.1, section 2.3). Pure.
 */
import { urlOn } from "./ssdp_message.ts";
import { childElements, childText, parseXml, type XmlElement } from "./xml.ts";

/** The services that have AddPortMapping, best first. */
export const WAN_SERVICE_TYPES = [
  "urn:schemas-upnp-org:service:WANIPConnection:2",
  "urn:schemas-upnp-org:service:WANIPConnection:1",
  "urn:schemas-upnp-org:service:WANPPPConnection:1",
] as const;

/** A service that maps ports. */
export interface WanService {
  /** What it is. */
  readonly type: typeof WAN_SERVICE_TYPES[number];
  /** Where its actions are called: on the host that the description came from. */
  readonly controlUrl: URL;
}

/** Devices are nested three deep; a description that goes deeper is none of a router. */
const MAX_DEPTH = 8;
/** Routers with several uplinks have a service for each; those that are down say so. */
const MAX_SERVICES = 4;

/**
 * The services of a description that map ports, best first, at most four.
 *
 * @param text The description.
 * @param location Where it came from.
 */
export function parseIgdDescription(text: string, location: URL): WanService[] {
  const root = parseXml(text);
  if (root === undefined) return [];
  const services: WanService[] = [];
  for (const description of childElements(root, "root")) {
    // URLBase is deprecated, but where it is given the control URL is relative to it.
    const base = urlOn(location.hostname, childText(description, "URLBase") ?? "") ?? location;
    for (const device of childElements(description, "device")) collect(device, base, services, 0);
  }
  return services
    .toSorted((a, b) => WAN_SERVICE_TYPES.indexOf(a.type) - WAN_SERVICE_TYPES.indexOf(b.type))
    .slice(0, MAX_SERVICES);
}

function collect(device: XmlElement, base: URL, out: WanService[], depth: number): void {
  if (depth >= MAX_DEPTH) return;
  for (const list of childElements(device, "serviceList")) {
    for (const service of childElements(list, "service")) {
      const written = childText(service, "serviceType");
      const type = WAN_SERVICE_TYPES.find((known) => known === written);
      const controlUrl = urlOn(base.hostname, childText(service, "controlURL") ?? "", base);
      if (type !== undefined && controlUrl !== undefined) out.push({ type, controlUrl });
    }
  }
  for (const list of childElements(device, "deviceList")) {
    for (const inner of childElements(list, "device")) collect(inner, base, out, depth + 1);
  }
}
