/**
 * The mapping behaviour of a NAT (RFC 4787, section 4.1), from how several servers saw one socket.
 */
import { isSameSocketAddress, type SocketAddress } from "../address.ts";
import type { MappingClass } from "../mapping_class.ts";
import type { PortPattern } from "./port_pattern.ts";

/** How a server saw a socket. */
export interface MappingSample {
  /** The server, as it was asked. */
  readonly server: SocketAddress;
  /** The address it saw. */
  readonly mapped: SocketAddress;
}

/** What is known of how a NAT tells remote addresses apart. */
export interface MappingEvidence {
  /** Two different remote IP addresses were compared. */
  readonly comparesHosts: boolean;
  /** Two ports of one remote IP address were compared. */
  readonly comparesPorts: boolean;
  /** There were at least two different mappings: the NAT is not endpoint-independent. */
  readonly isDependent: boolean;
}

/** What the samples of one socket were taken from and whether they differ. */
export function mappingEvidence(samples: readonly MappingSample[]): MappingEvidence {
  const hosts = new Set(samples.map(({ server }) => server.host));
  return {
    comparesHosts: hosts.size > 1,
    comparesPorts: samples.length > hosts.size,
    isDependent: samples.some(({ mapped }) => !isSameSocketAddress(mapped, samples[0]!.mapped)),
  };
}

/**
 * Which further address of a server would tell more: its other port at the same IP address when the
 * ports that were seen differ (address-dependent, or also port-dependent?), its other IP address when
 * there was only one to ask.
 *
 * @param evidence Of the samples so far.
 * @param server A server that answered, and the other address it told of.
 * @param isAsking Whether answers of other servers may still come.
 */
export function comparisonWith(
  evidence: MappingEvidence,
  server: { readonly address: SocketAddress; readonly otherAddress: SocketAddress },
  isAsking: boolean,
): SocketAddress | undefined {
  const { comparesHosts, comparesPorts, isDependent } = evidence;
  const { address, otherAddress } = server;
  if (isDependent && !comparesPorts) return { ...address, port: otherAddress.port };
  if (!comparesHosts && !isAsking) return { ...otherAddress, port: address.port };
  return undefined;
}

/**
 * The class of the NAT in front of one socket.
 *
 * @param samples One for each server address that answered it.
 * @param isOwn Whether an address is one of this machine's own.
 * @param pattern Of the ports that the NAT gave to this and other sockets.
 * @returns `unknown` while there is nothing to compare.
 */
export function classifyMapping(
  samples: readonly MappingSample[],
  isOwn: (mapped: SocketAddress) => boolean,
  pattern: PortPattern["pattern"],
): MappingClass {
  const { comparesHosts, comparesPorts, isDependent } = mappingEvidence(samples);
  if (samples.length > 0 && samples.every(({ mapped }) => isOwn(mapped))) return "none";
  if (!isDependent) return comparesHosts ? "endpoint_independent" : "unknown";
  if (comparesPorts && !dependsOnPort(samples)) return "address_dependent";
  // Where ports of one address could not be compared the harder of the two is assumed.
  return pattern === "sequential" ? "port_dependent_stepping" : "port_dependent_random";
}

function dependsOnPort(samples: readonly MappingSample[]): boolean {
  return samples.some(({ server, mapped }) =>
    samples.some((other) =>
      other.server.host === server.host && !isSameSocketAddress(other.mapped, mapped)
    )
  );
}
