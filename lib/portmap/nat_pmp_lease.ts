/**
 * A lease by NAT-PMP (RFC 6886): the router's outside address first, then the port. The answer to the
 * first request alone shows whether a mapping could be of use.
 *
 * Nothing in an answer ties it to a request, and anybody in the network can write one: answers count
 * while their request is outstanding, and at any other time only as a hint to ask again.
 */
import { addressScope, type IpAddress, type SocketAddress } from "../nat/address.ts";
import { after } from "../time.ts";
import { LIFETIME_SECONDS, type PortMapOutcome } from "./lease.ts";
import {
  decodeNatPmpResponse,
  describeNatPmpResult,
  encodeNatPmpAddressRequest,
  encodeNatPmpMapRequest,
  NAT_PMP_UNSUPPORTED_VERSION,
} from "./nat_pmp_message.ts";
import { RouterEpoch } from "./router_epoch.ts";
import { isInternetAddress, UdpLease, type UdpLeaseOptions } from "./udp_lease.ts";

/**
 * How long a port is not asked for while the same router may still answer to PCP, ms. A router that
 * speaks both has one table for both: a port that is granted twice belongs to whoever came last.
 */
const PCP_FIRST_MS = 300;

/** Asks one router by NAT-PMP. */
export class NatPmpLease extends UdpLease {
  readonly protocol = "nat-pmp";
  readonly #isPcpAsking: () => boolean;
  #cancelWait: (() => void) | undefined;
  readonly #epoch = new RouterEpoch();
  #step: "address" | "map" = "address";
  #externalAddress: IpAddress | undefined;

  /** @param options `isPcpAsking` tells whether an answer to PCP is outstanding from this router. */
  constructor(options: UdpLeaseOptions & { readonly isPcpAsking: () => boolean }) {
    super(options);
    this.#isPcpAsking = options.isPcpAsking;
  }

  override stop(outcome: PortMapOutcome): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    super.stop(outcome);
  }

  /**
   * Takes a datagram from port 5351 of the router.
   *
   * @returns `other_version` when the router refused a version: NAT-PMP is the lowest, so it means a
   * request of PCP.
   */
  handleDatagram(datagram: Uint8Array): "other_version" | undefined {
    const response = decodeNatPmpResponse(datagram);
    if (response === undefined) return undefined;
    if (response.kind === "refused") {
      if (response.result === NAT_PMP_UNSUPPORTED_VERSION) return "other_version";
      if (response.request === "map" && this.handleDeleted()) return undefined;
      if (!this.isAsking || response.request !== this.#step) return undefined;
      this.handleRefusal(describeNatPmpResult(response.result));
      return undefined;
    }
    if (response.kind === "map") {
      if (response.internalPort !== this.internalPort) return undefined;
      if (response.lifetimeSeconds === 0 && this.handleDeleted()) return undefined;
      if (!this.isAsking || this.#step !== "map" || this.#externalAddress === undefined) {
        return undefined;
      }
      this.#epoch.note(response.epochSeconds, this.clock.now());
      if (response.lifetimeSeconds === 0 || response.externalPort === 0) {
        this.handleRefusal("no lifetime");
        return undefined;
      }
      this.handleGrant(
        { ...this.#externalAddress, port: response.externalPort },
        response.lifetimeSeconds,
      );
      return undefined;
    }
    const { address, epochSeconds } = response;
    if (this.isAsking && this.#step === "address") {
      this.#epoch.note(epochSeconds, this.clock.now());
      this.#handleAddress(address);
    } else if (
      address.host !== this.#externalAddress?.host ||
      this.#epoch.hasRestarted(epochSeconds, this.clock.now())
    ) this.askAgain();
    return undefined;
  }

  protected ask(): void {
    this.#cancelWait?.();
    this.#step = "address";
    this.request(encodeNatPmpAddressRequest());
  }

  protected mapping(held: SocketAddress | undefined): Uint8Array {
    return encodeNatPmpMapRequest({
      internalPort: this.internalPort,
      externalPort: held?.port ?? this.internalPort,
      lifetimeSeconds: LIFETIME_SECONDS,
    });
  }

  protected deletion(): Uint8Array {
    // RFC 6886, section 3.4: the outside port is zero.
    return encodeNatPmpMapRequest({
      internalPort: this.internalPort,
      externalPort: 0,
      lifetimeSeconds: 0,
    });
  }

  #handleAddress(address: IpAddress): void {
    if (addressScope(address) === "unspecified") return this.handleRefusal("no outside address");
    this.#externalAddress = address;
    this.keeper.handleRouterAddress(address);
    if (!isInternetAddress(address)) return this.handleUseless();
    this.#step = "map";
    if (this.held !== undefined || !this.#isPcpAsking()) return this.requestMapping();
    this.endRequest();
    this.#cancelWait = this.clock.setTimer(after(this.clock.now(), PCP_FIRST_MS), () => {
      this.#cancelWait = undefined;
      this.requestMapping();
    });
  }
}
