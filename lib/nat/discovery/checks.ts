/**
 * The two checks of RFC 5780 that need sockets of their own: what a NAT or firewall lets in
 * (section 4.4), and whether it hairpins (section 4.5).
 *
 * Filtering is asked of a server with two addresses, from a socket that has sent to nobody else:
 * whoever a socket has sent to may answer it, which is just what is to be measured.
 * Hairpinning is tried both ways at once, since a NAT may filter what it hairpins; each request
 * opens the way for the other, and comes back to us as a request.
 */
import type { Instant } from "../../time.ts";
import { addressScope, isSameSocketAddress, type SocketAddress } from "../address.ts";
import type { FilteringClass, ReflexiveAddress } from "./report.ts";
import type { DiscoveryServer } from "./servers.ts";
import type { StunClient, StunOutcome, StunSchedule } from "../stun/client.ts";

/** Silence is an answer here, so it must not be mere loss: four tries. */
const CHECK_SCHEDULE: StunSchedule = {
  rtoMs: 200,
  maxSends: 4,
  lastWaitFactor: 4,
  capMs: 2000,
};

/** How the world sees a socket, by the word of one server. */
export interface NamedAddress extends ReflexiveAddress {
  /** Who said so. */
  readonly server: SocketAddress;
}

/** Checks under way, and what they found. */
export class DiscoveryChecks {
  /** What is let in; "unknown" until it was found. */
  filtering: FilteringClass = "unknown";
  /** Whether the NAT hairpins; undefined until it was found. */
  hairpin: boolean | undefined;
  readonly #client: StunClient;
  #isStarted = false;
  /** Handles of the requests under way: for an answer from another address, and another port. */
  #fromElsewhere = 0;
  #fromOtherPort = 0;
  #isOtherPortHeard = false;
  #hairpins: number[] = [];

  /** @param client Makes the requests; its outcomes must be handed in. */
  constructor(client: StunClient) {
    this.#client = client;
  }

  /** Whether something is still being waited for. */
  get isPending(): boolean {
    return this.#fromElsewhere !== 0 || this.#fromOtherPort !== 0 || this.#hairpins.length > 0;
  }

  /**
   * Begins both checks, as far as they can be done; once.
   *
   * @param further Sockets that have sent to `server` and to nobody else, with their addresses
   * outside.
   * @param server One that answered them; with its other address, if it has one.
   * @param main A socket behind the same NAT; undefined when there is no NAT.
   */
  start(
    now: Instant,
    further: readonly NamedAddress[],
    server: DiscoveryServer,
    main: NamedAddress | undefined,
  ): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const [first, last] = [further[0], further.at(-1)];
    if (first === undefined || last === undefined) return;
    const { address, otherAddress } = server;
    const schedule = CHECK_SCHEDULE;
    if (otherAddress !== undefined) {
      const path = { socket: first.socket, remote: address };
      const options = { changePort: true, otherAddress, schedule };
      this.#fromElsewhere = this.#client.request(now, path, { ...options, changeAddress: true });
      this.#fromOtherPort = this.#client.request(now, path, options);
    }
    if (main === undefined || !isCredible(main) || !isCredible(last)) return;
    const paths = [
      { socket: main.socket, remote: last.address },
      { socket: last.socket, remote: main.address },
    ];
    this.#hairpins = paths.map((path) => this.#client.request(now, path, { schedule }));
  }

  /** Takes the outcome of one of its own requests; false for any other. */
  handleOutcome(outcome: StunOutcome): boolean {
    const { handle } = outcome;
    if (this.#hairpins.includes(handle)) {
      this.#hairpins = this.#hairpins.filter((other) => other !== handle);
      if (this.#hairpins.length === 0) this.hairpin = false;
      return true;
    }
    if (handle !== this.#fromElsewhere && handle !== this.#fromOtherPort) return false;
    const isFromServer = outcome.type === "answer" &&
      isSameSocketAddress(outcome.from, outcome.path.remote);
    if (outcome.type === "refused" || isFromServer) {
      // The server did not do what it was asked for, so nothing follows from silence.
      this.#endFiltering("unknown");
      return true;
    }
    const isHeard = outcome.type === "answer";
    if (handle === this.#fromElsewhere) {
      this.#fromElsewhere = 0;
      if (isHeard) this.#endFiltering("endpoint_independent");
    } else {
      this.#fromOtherPort = 0;
      this.#isOtherPortHeard = isHeard;
    }
    if (
      this.filtering === "unknown" && this.#fromElsewhere === 0 && this.#fromOtherPort === 0
    ) {
      this.#endFiltering(
        this.#isOtherPortHeard ? "address_dependent" : "address_and_port_dependent",
      );
    }
    return true;
  }

  /** Takes a request of ours that came in on one of our sockets; false if it is none of these. */
  handleOwnRequest(handle: number): boolean {
    if (!this.#hairpins.includes(handle)) return false;
    for (const other of this.#hairpins) this.#client.cancel(other);
    this.#hairpins = [];
    this.hairpin = true;
    return true;
  }

  #endFiltering(filtering: FilteringClass): void {
    this.filtering = filtering;
    this.#client.cancel(this.#fromElsewhere);
    this.#client.cancel(this.#fromOtherPort);
    this.#fromElsewhere = 0;
    this.#fromOtherPort = 0;
  }
}

/**
 * Whether requests may go to an address that a server named: one on the Internet does not get us to
 * send into the local network.
 */
function isCredible({ address, server }: NamedAddress): boolean {
  return addressScope(address) === addressScope(server);
}
