/**
 * What a client does when its first tries get no answer: finds out how it is seen from outside, makes
 * a reply code for the sharer's person to paste, and keeps its side open until that happens.
 */
import { replyCommitment } from "../crypto/commitment.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import { formatSocketAddress } from "../nat/address.ts";
import type { Candidate } from "../nat/candidate.ts";
import { judgePair, type PairOutlook } from "../nat/pair_outlook.ts";
import type { Path } from "../nat/path.ts";
import type { PathMethod } from "../nat/path_method.ts";
import { areOutdated, chooseCodeCandidates } from "../rendezvous/code_candidates.ts";
import { encodeReplyCode } from "../rendezvous/reply_code.ts";
import type { ShareCode } from "../rendezvous/share_code.ts";
import type { NetworkWatch } from "./network_watch.ts";
import { Punching } from "./punching.ts";
import { createProbeCodec, type SearchTools } from "./search_tools.ts";

/** What an offer needs. */
export interface ReplyOfferOptions extends SearchTools {
  /** A socket on the port next to the main one's, if there is one (docs/nat.md, "The Linux trap"). */
  readonly guardSocket: number | undefined;
  /** Watches the main sockets, at which this client is to be found. */
  readonly watch: NetworkWatch;
  /** The code of the share. */
  readonly share: ShareCode;
  readonly keys: ShareKeys;
  /** The key that the code stands for, and no code with other candidates. */
  readonly clientKey: Uint8Array;
  /** Those of a code that is shown again; by default the best there are now. */
  readonly candidates?: readonly Candidate[];
  /** Whether the two have met already, and the code is for admission only. */
  readonly isConnected: boolean;
  /** The sharer was heard on a path: the handshake can begin there. */
  readonly onHeard: (path: Path, isAnswer: boolean) => void;
}

/** A reply code, and what is expected of it. */
export interface OfferedReply {
  /** `p2p1…` */
  readonly code: string;
  /** The addresses in it, as `host:port`. */
  readonly addresses: readonly string[];
  readonly outlook: PairOutlook;
}

/** A reply code that is outstanding. */
export class ReplyOffer {
  /** What to show; undefined when this machine has no address to be found at. */
  readonly reply: OfferedReply | undefined;
  /** Those in the code. */
  readonly candidates: readonly Candidate[];
  readonly #options: ReplyOfferOptions;
  readonly #punching: Punching | undefined;

  /** Makes the code from what is known now, and opens this side unless there is no hope. */
  constructor(options: ReplyOfferOptions) {
    const { watch, share, keys, provider, clientKey } = options;
    this.#options = options;
    this.candidates = options.candidates ?? chooseCodeCandidates(watch.known);
    if (this.candidates.length === 0) return;
    const r = replyCommitment(provider, share.t, clientKey);
    const mappingClass = watch.mapping;
    const outlook = judgePair(
      { mapping: share.mappingClass, candidates: share.candidates },
      { mapping: mappingClass, candidates: this.candidates },
    );
    this.reply = {
      code: encodeReplyCode({ r, mappingClass, candidates: this.candidates }, keys),
      addresses: this.candidates.map(({ address }) => formatSocketAddress(address)),
      outlook,
    };
    if (!options.isConnected && outlook.method !== "impossible") this.#punching = this.#punch(r);
  }

  /** The key that the code stands for. */
  get clientKey(): Uint8Array {
    return this.#options.clientKey;
  }

  /** Whether the code no longer says where this machine is. */
  get isOutdated(): boolean {
    return areOutdated(this.candidates, this.#options.watch.known);
  }

  /** How a path came about; undefined when no hole was to be punched. */
  methodOf(path: Path): PathMethod | undefined {
    return this.#punching?.methodOf(path);
  }

  /** Ends the search and gives back what it holds, but for the socket a session uses. */
  stop(keptSocket?: number): void {
    this.#punching?.stop(keptSocket);
  }

  #punch(r: Uint8Array): Punching {
    const { live, clock, random, extras, budgets, guardSocket, watch, share, keys } = this.#options;
    const sockets = live.pathSockets;
    const canLimitHops = sockets.every(({ index }) => live.canLimitHops(index));
    return new Punching({
      live,
      clock,
      extras,
      machine: {
        role: "client",
        codec: createProbeCodec(this.#options, { t: share.t, keys, r }),
        random,
        sockets,
        local: { mapping: watch.mapping, candidates: this.candidates },
        remote: { mapping: share.mappingClass, candidates: share.candidates },
        lowHops: canLimitHops ? (watch.isDoubleNat ? 4 : 2) : undefined,
        guardSocket,
        budgetFor: budgets.of,
      },
      onHeard: this.#options.onHeard,
    });
  }
}
