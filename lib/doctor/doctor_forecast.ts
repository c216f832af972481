/**
 * What `doctor` expects of other networks and of the side whose code was given. Pure: it judges what
 * was found out, and asks nobody.
 */
import type { DoctorExpectation, DoctorPair, OneCode, OtherNetwork } from "./doctor_report.ts";
import { addressScope, formatSocketAddress } from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import { judgePair, type PairOutlook } from "../nat/pair_outlook.ts";
import { hasOpenPort, type PairSide } from "../nat/pair_side.ts";
import type { ShareCode } from "../rendezvous/share_code.ts";

/** What stands for another network in a judgement: any address will do. */
const ELSEWHERE: Candidate = {
  kind: "reflexive",
  address: { family: 4, host: "192.0.2.1", port: 1024 },
};
const ELSEWHERE_IPV6: Candidate = {
  kind: "host",
  address: { family: 6, host: "2001:db8::1", port: 1024 },
};

const OTHER_NETWORKS: Readonly<Record<OtherNetwork, PairSide>> = {
  public: { mapping: "none", candidates: [ELSEWHERE] },
  easy_router: { mapping: "endpoint_independent", candidates: [ELSEWHERE] },
  stepping_router: { mapping: "port_dependent_stepping", candidates: [ELSEWHERE] },
  random_router: { mapping: "port_dependent_random", candidates: [ELSEWHERE] },
  ipv6: { mapping: "port_dependent_random", candidates: [ELSEWHERE, ELSEWHERE_IPV6] },
};

/**
 * What to expect when this machine receives what the given code shares.
 *
 * @param own What a reply code of this machine would say.
 * @param other The share code, or that it is a reply code.
 */
export function forecastPair(own: PairSide, other: ShareCode | "reply"): DoctorPair {
  if (other === "reply") return { code: "reply" };
  const { mappingClass, candidates } = other;
  const outlook = judgePair({ mapping: mappingClass, candidates }, own);
  const { isOneCodeEnough, isOneNetwork, advice } = outlook;
  // Where the first datagram opens the way, it does not matter what the own code says.
  const expected = isOneCodeEnough ? outlook.method : expectedOf(outlook);
  const isOfUse = !(isOneCodeEnough && outlook.isUncertain);
  return {
    code: "share",
    addresses: candidates.map(({ address }) => formatSocketAddress(address)),
    mapping: mappingClass,
    expected,
    isOneCodeEnough,
    isOneNetwork: isOneNetwork ?? false,
    advice: advice && isOfUse ? [advice.text] : [],
  };
}

function expectedOf({ method, isUncertain }: PairOutlook): DoctorExpectation["method"] {
  return isUncertain ? "unknown" : method;
}

/** What to expect of the usual networks, whoever of the two shares. */
export function forecastNetworks(own: PairSide): DoctorExpectation[] {
  const hasIpv6 = own.candidates.some(({ address }) =>
    address.family === 6 && addressScope(address) === "global"
  );
  // What its router does is not known: it may be as hard as any.
  const isUnknown = own.mapping === "unknown" && !hasOpenPort(own, 4);
  return (Object.keys(OTHER_NETWORKS) as OtherNetwork[])
    .filter((other) => other !== "ipv6" || hasIpv6)
    .map((other) =>
      isUnknown ? { other, method: "unknown", oneCode: "never" } : expect(own, other)
    );
}

function expect(own: PairSide, other: OtherNetwork): DoctorExpectation {
  const sending = judgePair(own, OTHER_NETWORKS[other]);
  const receiving = judgePair(OTHER_NETWORKS[other], own);
  const best = receiving.isOneCodeEnough && !sending.isOneCodeEnough ? receiving : sending;
  return { other, method: expectedOf(best), oneCode: oneCodeOf(sending, receiving) };
}

function oneCodeOf(sending: PairOutlook, receiving: PairOutlook): OneCode {
  if (sending.isOneCodeEnough) return receiving.isOneCodeEnough ? "always" : "sending";
  return receiving.isOneCodeEnough ? "receiving" : "never";
}
