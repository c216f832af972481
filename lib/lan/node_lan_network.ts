/**
 * The system's local networks, by `node:dgram`: it can choose the interface that multicast leaves
 * through, on all systems, where `Deno.listenDatagram` cannot. Needs
 * `--allow-net=0.0.0.0:5353,224.0.0.251:5353`, for IPv6 `[::]:5353,[ff02::fb]:5353` as well, and
 * `--allow-sys=networkInterfaces`.
 */
import { createSocket } from "node:dgram";
import { TransferError } from "../errors.ts";
import { DgramSocket } from "../transport/dgram_socket.ts";
import type { DatagramSocket } from "../transport/socket.ts";
import { isSystemError } from "../transport/system_error.ts";
import { MDNS_PORT } from "./limits.ts";
import { type LanLink, linksOf } from "./link.ts";
import { groupOf, type LanNetwork } from "./network.ts";

const ANY = { 4: "0.0.0.0", 6: "::" } as const;

/** Hops of multicast DNS: some look whether it is this (RFC 6762, section 11). */
const HOPS = 255;

/** The local networks of this machine. */
export const nodeLanNetwork: LanNetwork = {
  requirePermissions() {
    if (
      Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" }).state !== "granted"
    ) {
      throw permissionMissing("--allow-sys=networkInterfaces");
    }
    if (!mayUse(4)) throw permissionMissing(`--allow-net=${hostsOf(4).join(",")}`);
  },
  links: () => linksOf(Deno.networkInterfaces()).filter(({ family }) => mayUse(family)),
  async open(link) {
    try {
      return await openMulticast(link);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new TransferError(
        "no_network",
        `Cannot use multicast on ${link.interfaceName} by IPv${link.family}`,
        { cause: error },
      );
    }
  },
};

function hostsOf(family: 4 | 6): string[] {
  return [ANY[family], groupOf(family).host]
    .map((host) => family === 4 ? `${host}:${MDNS_PORT}` : `[${host}]:${MDNS_PORT}`);
}

function mayUse(family: 4 | 6): boolean {
  return hostsOf(family).every((host) =>
    Deno.permissions.querySync({ name: "net", host }).state === "granted"
  );
}

function permissionMissing(flag: string): TransferError {
  return new TransferError(
    "permission_missing",
    `Cannot use the local network: a permission is missing, grant it with ${flag}`,
    { hint: `Run again with ${flag}` },
  );
}

/** Binds a socket to the group of a link. */
async function openMulticast(link: LanLink): Promise<DatagramSocket> {
  const { family } = link;
  const socket = createSocket({
    type: `udp${family}`,
    // The system's own mDNS has the port already.
    reuseAddr: true,
    ipv6Only: family === 6,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ port: MDNS_PORT, address: ANY[family], exclusive: false }, resolve);
    });
    const where = interfaceOf(link);
    socket.setMulticastInterface(where);
    socket.setMulticastTTL(HOPS);
    // A share and its receiver may be on one machine.
    socket.setMulticastLoopback(true);
    socket.addMembership(groupOf(family).host, where);
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.removeAllListeners("error");
  return new DgramSocket(family, socket);
}

/** How the system calls the interface of a link for multicast. */
function interfaceOf({ family, interfaceName, scope, networks }: LanLink): string {
  if (family === 4) return networks[0]!.address.host;
  return `::%${Deno.build.os === "windows" ? scope : interfaceName}`;
}
