/**
 * Two peers in a simulated internet that try to meet as `lib/share.ts` and `lib/receive.ts` do:
 * STUN, direct tries that go on, reply code, paste at a time nobody knows, punching. The machines of
 * `lib/nat` are the real ones; the handshake is `knock.ts`, and the people are a random delay.
 */
import type { RandomSource } from "../../lib/crypto/provider.ts";
import { isSameSocketAddress } from "../../lib/nat/address.ts";
import type { MappingClass } from "../../lib/nat/mapping_class.ts";
import { judgePair, type PairOutlook } from "../../lib/nat/pair_outlook.ts";
import type { Path } from "../../lib/nat/path.ts";
import type { PathMethod } from "../../lib/nat/path_method.ts";
import type { PunchOptions } from "../../lib/nat/punch/punch.ts";
import type { PunchCodec } from "../../lib/nat/punch/codec.ts";
import { after } from "../../lib/time.ts";
import { KnockClient, KnockSharer } from "./knock.ts";
import type { Place } from "./nat_kinds.ts";
import { Peer, Punching, STUN_SERVERS } from "./nat_peer.ts";
import { OpenCodec } from "./open_codec.ts";
import { type SimHost, SimInternet } from "./sim_internet.ts";
import { addStunServer } from "./sim_stun.ts";
import { SimWorld } from "./sim_world.ts";

/** A situation to meet in. */
export interface PairSetting {
  /** Puts the two into an internet. */
  readonly place: (internet: SimInternet) => { readonly sharer: Place; readonly client: Place };
  /** Probability that a datagram is lost in the core (default 0). */
  readonly lossRate?: number;
  /** From the reply code to the paste (default random, 0.5 to 45 s). */
  readonly pasteAfterMs?: number;
  /** Whether the runtimes can send with few hops (default true). */
  readonly canLimitHops?: boolean;
}

/** How one try went. */
export interface PairRun {
  /** How the path was made; undefined when there is none. */
  readonly method: PathMethod | undefined;
  /** Whether the two met without a reply code. */
  readonly isOneCode: boolean;
  /** From the paste, or from the client's start when no paste was needed, to the path; ms. */
  readonly timeMs: number;
  /** What both were told to expect; undefined when no reply code was made. */
  readonly outlook: PairOutlook | undefined;
  /** The most spray probes that either side sent within 30 s. */
  readonly sprayed: number;
}

/** How long the direct tries go on before a reply code is made. */
const DIRECT_MS = 2000;
/** How long a client waits before it asks STUN. */
const ASK_AFTER_MS = 250;
/** How long people take from one code to the other. */
const PASTE_MIN_MS = 500;
const PASTE_MAX_MS = 45_000;
/** A little longer than the sharer looks for a client. */
const LIMIT_MS = 33_000;
const ONE_WAY_MS = 40;

type CommonOptions = Pick<PunchOptions, "codec" | "random" | "sockets" | "local">;

/** The socket of a host's data. */
function openMain(place: Place, host: SimHost): number {
  return host.openSocket(place.host.includes(":") ? 6 : 4);
}

/**
 * Lets two peers try once. Equal seeds and settings give equal runs, whatever the codec is.
 *
 * @param createCodec Called for each side.
 */
export function runPair(
  seed: number,
  setting: PairSetting,
  createCodec: (random: RandomSource) => PunchCodec = () => new OpenCodec(),
): PairRun {
  const { lossRate = 0, canLimitHops = true } = setting;
  const world = new SimWorld(seed);
  const internet = new SimInternet(world, { link: { delayMs: ONE_WAY_MS, lossRate } });
  for (const server of STUN_SERVERS) addStunServer(internet, server);
  const places = setting.place(internet);

  // The share begins, and has its code.
  const sharerHost = places.sharer.network.addHost(places.sharer.host, { canLimitHops });
  sharerHost.attach(new KnockSharer());
  const sharer = new Peer(world, places.sharer, sharerHost, openMain(places.sharer, sharerHost));
  const punching: { sharer?: Punching; client?: Punching } = {};
  sharerHost.onProgress = () => {
    sharer.poll();
    punching.sharer?.poll();
  };
  sharer.settle();
  const sharerMapped = places.sharer.openPort?.(sharerHost.localAddress(sharer.socket));
  const share = { mapping: sharer.mapping, candidates: sharer.candidates(sharerMapped) };
  world.run({ untilMs: world.nowMs + world.prng.between(1_000, 40_000) });

  // The client tries directly, and soon looks around.
  const clientHost = places.client.network.addHost(places.client.host, { canLimitHops });
  const knock = new KnockClient();
  const isJoined = (): boolean => knock.answeredOn !== undefined;
  const mainSocket = openMain(places.client, clientHost);
  for (const { address } of share.candidates) {
    knock.addPath(world.now, { socket: mainSocket, remote: address });
  }
  clientHost.attach(knock);
  const startMs = world.nowMs;
  const finish = (sinceMs: number, outlook: PairOutlook | undefined): PairRun => {
    const path = knock.answeredOn;
    const meters = [punching.sharer?.meter, punching.client?.meter];
    return {
      method: path && methodOf(path),
      isOneCode: sinceMs === startMs,
      timeMs: world.nowMs - sinceMs,
      outlook,
      sprayed: Math.max(...meters.map((meter) => meter?.mostInWindow ?? 0)),
    };
  };
  const methodOf = (path: Path): PathMethod => {
    if (punching.client !== undefined) return punching.client.methodOf(path);
    return sharerMapped && isSameSocketAddress(path.remote, sharerMapped) ? "mapped" : "direct";
  };
  world.run({ untilMs: startMs + ASK_AFTER_MS, until: isJoined });
  if (isJoined()) return finish(startMs, undefined);
  const client = new Peer(world, places.client, clientHost, mainSocket);
  clientHost.onProgress = () => {
    client.poll();
    punching.client?.poll();
  };
  world.run({ untilMs: startMs + DIRECT_MS, until: isJoined });
  if (!isJoined()) client.settle();
  if (isJoined()) return finish(startMs, undefined);

  // It makes a reply code and waits.
  const clientMapped = places.client.openPort?.(clientHost.localAddress(client.socket));
  const reply = { mapping: client.mapping, candidates: client.candidates(clientMapped) };
  const outlook = judgePair(share, reply);
  if (outlook.method === "impossible") return finish(world.nowMs, outlook);
  const common = (peer: Peer, local: PunchOptions["local"]): CommonOptions => ({
    codec: createCodec(world.prng.fork()),
    random: world.prng,
    sockets: [{ index: peer.socket, family: peer.host.localAddress(peer.socket).family }],
    local,
  });
  const lowHops = client.discovery.report.doubleNat === true ? 4 : 2;
  punching.client = new Punching(client, {
    role: "client",
    ...common(client, reply),
    lowHops: canLimitHops ? lowHops : undefined,
    guardSocket: client.openGuard(canLimitHops),
    remote: share,
  }, (path) => knock.addPath(world.now, path));
  clientHost.wake();
  // Each order of magnitude is as likely: some people are quick, and that is the harder case.
  const spread = (PASTE_MAX_MS / PASTE_MIN_MS) ** world.prng.fraction();
  const pasteMs = world.nowMs + (setting.pasteAfterMs ?? PASTE_MIN_MS * spread);
  world.run({ untilMs: pasteMs, until: isJoined });
  if (isJoined()) return finish(startMs, outlook);

  // The sharer's person pastes it.
  const stepping: MappingClass = "port_dependent_stepping";
  const isLockstep = share.mapping === stepping && reply.mapping === stepping;
  const currentPort = isLockstep ? sharer.freshPort() : undefined;
  const codePort = share.candidates.find(({ kind }) => kind === "reflexive")?.address.port;
  punching.sharer = new Punching(sharer, {
    role: "sharer",
    ...common(sharer, share),
    remote: reply,
    currentPort,
    codePort,
  }, () => {});
  sharerHost.wake();
  world.run({ untilMs: after(world.now, LIMIT_MS), until: isJoined });
  return finish(pasteMs, outlook);
}
