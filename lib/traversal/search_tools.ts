/** What everything that looks for a path works with, and the probes of one pair of codes. */
import { ProbeCodec } from "../crypto/probe.ts";
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts";
import { deriveProbeKey, type ShareKeys } from "../crypto/share_keys.ts";
import { wipe } from "../crypto/wipe.ts";
import type { Clock } from "../transport/clock.ts";
import type { ExtraSockets } from "../transport/extra_sockets.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";
import type { SprayBudgets } from "./spray_budgets.ts";

/** One set for a whole share or receive. */
export interface SearchTools {
  readonly live: LiveEndpoint;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly provider: CryptoProvider;
  /** Where extra sockets come from; none where they cannot be had. */
  readonly extras: ExtraSockets | undefined;
  readonly budgets: SprayBudgets;
}

/** Which share, and which of its clients. */
export interface ProbePair {
  /** The share's commitment, 16 bytes. */
  readonly t: Uint8Array;
  /** Of the share. */
  readonly keys: ShareKeys;
  /** The client's commitment, 10 bytes. */
  readonly r: Uint8Array;
}

/** The codec of a pair's probes; whoever uses it wipes it. */
export function createProbeCodec(
  { provider, random }: Pick<SearchTools, "provider" | "random">,
  { t, keys, r }: ProbePair,
): ProbeCodec {
  const probeKey = deriveProbeKey(provider, t, r);
  const codec = new ProbeCodec(provider, keys.handshake, probeKey, random);
  wipe(probeKey);
  return codec;
}
