/** A lease by PCP (RFC 6887): one request, whose answer has the outside address and port. */
import type { RandomSource } from "../crypto/provider.ts";
import { constantTimeEqual } from "../bytes/equal.ts";
import { addressScope, type SocketAddress } from "../nat/address.ts";
import { LIFETIME_SECONDS } from "./lease.ts";
import {
  decodePcpResponse,
  describePcpResult,
  encodePcpMapRequest,
  PCP_NONCE_BYTES,
  PCP_UNSUPPORTED_VERSION,
} from "./pcp_message.ts";
import { RouterEpoch } from "./router_epoch.ts";
import { UdpLease, type UdpLeaseOptions } from "./udp_lease.ts";

/** Asks one router by PCP. */
export class PcpLease extends UdpLease {
  readonly protocol = "pcp";
  readonly #epoch = new RouterEpoch();
  // One for every request: a server takes a renewal or a deletion with another one for a stranger's.
  readonly #nonce = new Uint8Array(PCP_NONCE_BYTES);

  constructor(options: UdpLeaseOptions & { readonly random: RandomSource }) {
    super(options);
    options.random.fill(this.#nonce);
  }

  /** Takes a datagram from port 5351 of the router. */
  handleDatagram(datagram: Uint8Array): void {
    const response = decodePcpResponse(datagram);
    if (response === undefined) return;
    if (response.kind === "other_version") return this.handleOtherVersion();
    if (response.kind === "announce") {
      // It has no nonce, so that anybody in the network can write one.
      if (this.#epoch.hasRestarted(response.epochSeconds, this.clock.now())) this.askAgain();
      return;
    }
    if (!constantTimeEqual(response.nonce, this.#nonce)) return;
    if (response.internalPort !== this.internalPort) return;
    if ((response.lifetimeSeconds === 0 || response.result !== 0) && this.handleDeleted()) return;
    // Unasked, it tells of a change (RFC 6887, section 14.2); the nonce shows that it is the router's.
    if (!this.isAsking && this.held === undefined) return;
    this.#epoch.note(response.epochSeconds, this.clock.now());
    if (response.result !== 0) return this.handleRefusal(describePcpResult(response.result));
    const { externalAddress, externalPort, lifetimeSeconds } = response;
    if (lifetimeSeconds === 0 || externalPort === 0) return this.handleRefusal("no lifetime");
    if (addressScope(externalAddress) === "unspecified") {
      return this.handleRefusal("no outside address");
    }
    this.keeper.handleRouterAddress(externalAddress);
    this.handleGrant({ ...externalAddress, port: externalPort }, lifetimeSeconds);
  }

  /** The router answered, in NAT-PMP or another version of PCP, that it does not speak this one. */
  handleOtherVersion(): void {
    if (this.held !== undefined || !this.isAsking) return;
    this.handleRefusal(describePcpResult(PCP_UNSUPPORTED_VERSION));
  }

  protected ask(): void {
    this.requestMapping();
  }

  protected mapping(held: SocketAddress | undefined): Uint8Array {
    return this.#request(held, LIFETIME_SECONDS);
  }

  protected deletion(held: SocketAddress | undefined): Uint8Array {
    return this.#request(held, 0);
  }

  // What was granted is wished for again: a server that began anew then gives the same (RFC 6887,
  // section 11.2.1).
  #request(held: SocketAddress | undefined, lifetimeSeconds: number): Uint8Array {
    return encodePcpMapRequest({
      client: this.client,
      nonce: this.#nonce,
      internalPort: this.internalPort,
      externalPort: held?.port ?? this.internalPort,
      ...(held === undefined ? {} : { externalAddress: held }),
      lifetimeSeconds,
    });
  }
}
