/**
 * The system's local networks, by `node:dgram`: it can choose the interface that multicast leaves
 * through, on all systems, where `Deno.listenDatagram` cannot. Needs
 * `--allow-net=0.0.0.0:5353,224.0.0.251:5353`, for IPv6 `[::]:5353,[ff02::fb]:5353` as well, and
 * `--allow-sys=networkInterfaces`.
 */
import { createSocket, type Socket } from "node:dgram";
import { TransferError } from "../errors.ts";
import type { SocketAddress } from "../nat/address.ts";
import { normalizedAddress } from "../transport/normalized_address.ts";
import type { DatagramHandler, DatagramSocket } from "../transport/socket.ts";
import { isReceiveNoise, isSystemError } from "../transport/system_error.ts";
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
      return await MulticastSocket.open(link);
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

class MulticastSocket implements DatagramSocket {
  readonly family: 4 | 6;
  readonly localAddress: SocketAddress;
  readonly #socket: Socket;
  #finish: (() => void) | undefined;
  #isClosed = false;

  private constructor(link: LanLink, socket: Socket) {
    this.family = link.family;
    this.localAddress = { family: link.family, host: ANY[link.family], port: MDNS_PORT };
    this.#socket = socket;
  }

  static async open(link: LanLink): Promise<MulticastSocket> {
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
    return new MulticastSocket(link, socket);
  }

  receive(handler: DatagramHandler): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return resolve();
      this.#finish = resolve;
      this.#socket.on("error", (error) => {
        if (!isReceiveNoise(error)) reject(error);
      });
      this.#socket.on("message", (message, remote) => {
        if (this.#isClosed) return;
        const datagram = new Uint8Array(message.buffer, message.byteOffset, message.length);
        handler(datagram, normalizedAddress(this.family, remote.address, remote.port));
      });
    });
  }

  send(datagram: Uint8Array, to: SocketAddress): Promise<boolean> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return resolve(false);
      const done = (error: unknown) => {
        if (error !== null && error !== undefined && !isSystemError(error)) reject(error);
        else resolve(error === null || error === undefined);
      };
      try {
        this.#socket.send(datagram, 0, datagram.length, to.port, to.host, done);
      } catch (error) {
        done(error);
      }
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close(() => this.#finish?.());
  }
}

/** How the system calls the interface of a link for multicast. */
function interfaceOf({ family, interfaceName, scope, networks }: LanLink): string {
  if (family === 4) return networks[0]!.address.host;
  return `::%${Deno.build.os === "windows" ? scope : interfaceName}`;
}
