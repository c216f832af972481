/** The code of a share, and what it says of the ways to this machine. Made anew when those change. */
import type { NetworkEvent, TransferEvent } from "../events.ts";
import { formatSocketAddress, isSameSocketAddress } from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import { hasOpenPort } from "../nat/pair_side.ts";
import type { PathMethod } from "../nat/path_method.ts";
import type { Path } from "../nat/path.ts";
import { routeTo } from "../operation/path_report.ts";
import {
  areOutdated,
  chooseCodeCandidates,
  type KnownAddresses,
  listCandidates,
} from "../rendezvous/code_candidates.ts";

/** What is known of this side's network: a `NetworkWatch`. */
export interface KnownNetwork {
  /** Its addresses. */
  readonly known: KnownAddresses;
  /** What the NAT does with ports. */
  readonly mapping: MappingClass;
  /** What became known since the last call, to be told. */
  takeNews(): NetworkEvent | undefined;
}

/** What a code is made from. */
export interface OwnCodeParts {
  readonly network: KnownNetwork;
  /** Writes the code. */
  readonly encode: (
    content: {
      readonly mappingClass: MappingClass;
      readonly candidates: readonly Candidate[];
    },
  ) => string;
  readonly emit: (event: TransferEvent) => void;
}

/** The code of one share. */
export class OwnCode {
  readonly #parts: OwnCodeParts;
  #text = "";
  #candidates: readonly Candidate[] = [];
  /** Those of the first code, which a client may have. */
  #firstCandidates: readonly Candidate[] = [];

  /** Makes nothing yet. */
  constructor(parts: OwnCodeParts) {
    this.#parts = parts;
  }

  /** The newest code; empty before the first. */
  get text(): string {
    return this.#text;
  }

  /** The addresses in the newest code. */
  get candidates(): readonly Candidate[] {
    return this.#candidates;
  }

  /** Makes a code from what is known, and tells it; false without an address to give. */
  make(): boolean {
    const { network, encode, emit } = this.#parts;
    const candidates = chooseCodeCandidates(network.known);
    if (candidates.length === 0) return false;
    const isFirst = this.#text === "";
    if (isFirst) this.#firstCandidates = candidates;
    this.#candidates = candidates;
    this.#text = encode({ mappingClass: network.mapping, candidates });
    emit({
      event: "code",
      code: this.#text,
      addresses: candidates.map(({ address }) => formatSocketAddress(address)),
      ...(isFirst ? {} : { changed: true }),
    });
    return true;
  }

  /** Tells what became known of the network. */
  tellNetwork(): void {
    const event = this.#parts.network.takeNews();
    if (event !== undefined) this.#parts.emit(event);
  }

  /** What is known has changed: tells it, and makes another code where the old one leads nowhere. */
  handleNetwork(): void {
    this.tellNetwork();
    if (areOutdated(this.#candidates, this.#parts.network.known)) this.make();
  }

  /** The ways to this machine that the first code has not told. */
  get untold(): Candidate[] {
    return listCandidates(this.#parts.network.known).filter(({ address }) =>
      !this.#firstCandidates.some((told) => isSameSocketAddress(told.address, address))
    );
  }

  /** How a client came that nobody looked for. */
  methodOf(path: Path): PathMethod {
    const own = { mapping: this.#parts.network.mapping, candidates: this.#candidates };
    const isInternet = routeTo(path.remote) === "internet";
    return isInternet && hasOpenPort(own, path.remote.family) ? "mapped" : "direct";
  }
}
