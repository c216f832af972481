/**
 * The broadcast addresses of this machine's own networks. Deno's sockets may send there, and an
 * address in a code cannot be told from one: the netmask is known here only. Nobody can be reached at
 * such an address, everybody can.
 */
import { ipAddressFromBytes, ipAddressToBytes, parseIpAddress } from "../nat/address.ts";

/** How long a list of the interfaces is good, ms. */
const GOOD_FOR_MS = 10_000;

let known: ReadonlySet<string> = new Set();
let isGoodUntil = Number.NEGATIVE_INFINITY;

/** Whether an address is the broadcast address of one of this machine's networks. */
export function isOwnBroadcast(host: string): boolean {
  const now = performance.now();
  if (now >= isGoodUntil) {
    isGoodUntil = now + GOOD_FOR_MS;
    // Asked for only where it is granted: a question in mid-command helps nobody.
    const permission = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
    if (permission.state === "granted") known = broadcastAddresses(Deno.networkInterfaces());
  }
  return known.has(host);
}

/** The broadcast addresses of interfaces (RFC 919): all bits of the host's part set. */
export function broadcastAddresses(
  interfaces: readonly { readonly address: string; readonly netmask: string }[],
): Set<string> {
  const found = new Set<string>();
  for (const { address, netmask } of interfaces) {
    const bytes = ipv4Bytes(address);
    const mask = ipv4Bytes(netmask);
    // A network of one or two addresses has none (RFC 3021).
    if (bytes === undefined || mask === undefined || mask[3]! >= 254) continue;
    found.add(ipAddressFromBytes(bytes.map((byte, index) => byte | ~mask[index]!))!.host);
  }
  return found;
}

function ipv4Bytes(text: string): Uint8Array<ArrayBuffer> | undefined {
  const address = parseIpAddress(text);
  return address?.family === 4 ? ipAddressToBytes(address) : undefined;
}
