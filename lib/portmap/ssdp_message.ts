/**
 * Messages of SSDP, by which UPnP devices are found (UPnP Device Architecture 1.1, section 1.3): the
 * search, and where an answer says that the device is described. Pure.
 */
import { addressScope, type SocketAddress } from "../nat/address.ts";

/** Where devices listen for searches. */
export const SSDP_GROUP: SocketAddress = { family: 4, host: "239.255.255.250", port: 1900 };

/** What is searched for: devices of version 2 answer to 1, but some routers read only their own. */
export const SSDP_TARGETS = [
  "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
  "urn:schemas-upnp-org:device:InternetGatewayDevice:2",
] as const;

/** Longer answers are not looked at, bytes. */
const MAX_ANSWER_BYTES = 2048;
const STATUS_LINE = /^HTTP\/1\.[01] 200\b/;
const LOCATION = /^location:[ \t]*(?<url>\S+)[ \t]*$/im;

/** The search for `target`, to which devices answer within a second. */
export function encodeSsdpSearch(target: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(
    `M-SEARCH * HTTP/1.1\r\nHOST: ${SSDP_GROUP.host}:${SSDP_GROUP.port}\r\n` +
      `MAN: "ssdp:discover"\r\nMX: 1\r\nST: ${target}\r\n\r\n`,
  );
}

/**
 * Reads an answer to a search. Anybody in the network may send one, so it can only point at whoever
 * sent it: a description elsewhere would make this program a caller of addresses it was told.
 *
 * @param from Who sent it.
 * @returns Where the device is described; undefined when it is no such answer, or its sender is in no
 * private network, or it points elsewhere.
 */
export function decodeSsdpAnswer(datagram: Uint8Array, from: SocketAddress): URL | undefined {
  if (datagram.length > MAX_ANSWER_BYTES || !isPrivateAddress(from)) return undefined;
  const text = new TextDecoder().decode(datagram);
  if (!STATUS_LINE.test(text)) return undefined;
  const location = LOCATION.exec(text)?.groups?.["url"];
  return location === undefined ? undefined : urlOn(from.host, location);
}

/** `text` as a URL, relative to `base` if it must be, when it is plain HTTP on `host`. */
export function urlOn(host: string, text: string, base?: URL): URL | undefined {
  const url = URL.parse(text, base?.href);
  if (url === null || url.protocol !== "http:" || url.hostname !== host) return undefined;
  return url.username === "" && url.password === "" ? url : undefined;
}

function isPrivateAddress(address: SocketAddress): boolean {
  const scope = addressScope(address);
  return address.family === 4 &&
    (scope === "private" || scope === "shared" || scope === "link_local");
}
