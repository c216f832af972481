/** What LAN discovery needs of the system; `node_lan_network.ts` is the system. */
import type { SocketAddress } from "../nat/address.ts";
import type { DatagramSocket } from "../transport/socket.ts";
import { MDNS_GROUP_4, MDNS_GROUP_6, MDNS_PORT } from "./limits.ts";
import type { LanLink } from "./link.ts";

/** The local networks of a machine. Nobody is ever asked for a permission. */
export interface LanNetwork {
  /** @throws {TransferError} `permission_missing` when there can be no discovery at all. */
  requirePermissions(): void;
  /** The networks that it is on now. */
  links(): readonly LanLink[];
  /**
   * Opens a socket that receives what is sent to the group of multicast DNS on a link, the own
   * datagrams of the machine too, and sends through that link only. Other programs may do the same
   * at the same time. It may also hand over what came through other links.
   *
   * @throws {TransferError} Where the link takes no multicast.
   */
  open(link: LanLink): Promise<DatagramSocket>;
}

/** Where messages of a family go. */
export function groupOf(family: 4 | 6): SocketAddress {
  return { family, host: family === 4 ? MDNS_GROUP_4 : MDNS_GROUP_6, port: MDNS_PORT };
}
