/** What port mapping needs of the system; `deno_network.ts` is the system, tests bring their own. */
import type { IpAddress, SocketAddress } from "../nat/address.ts";
import type { DatagramSocket } from "../transport/socket.ts";

/** An HTTP request to a router. */
export interface RouterRequest {
  readonly url: URL;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the request early. */
  readonly signal: AbortSignal;
}

/** The system's network. Nobody is ever asked for a permission. */
export interface PortMapNetwork {
  /**
   * Binds a UDP socket to an IPv4 address of this machine and any port. Its datagrams, to multicast
   * groups too, leave by the interface that has the address.
   *
   * @throws {TransferError} `permission_missing`, or another where it cannot be had.
   */
  openSocket(host: string): Promise<DatagramSocket>;
  /** Whether this process is permitted to send to an address. */
  mayReach(to: SocketAddress): boolean;
  /**
   * The body of an answer that has status 200 or 500 (a fault of SOAP), when it is short enough for
   * `parseXml`; redirects are not followed.
   *
   * @returns Undefined for everything else; never rejects.
   */
  request(request: RouterRequest): Promise<string | undefined>;
  /** The routers that the system sends what is for nowhere else; empty when it does not tell. */
  defaultRouters(): Promise<readonly IpAddress[]>;
}
