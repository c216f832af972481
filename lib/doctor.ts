/**
 * What this machine's network is, and whom it can meet: asks STUN servers and the router, as a share
 * or a receive would, and judges. Nothing is sent to anybody else; the addresses in a code are read,
 * not tried.
 */
import type { LocalInterface } from "./rendezvous/local_candidates.ts";
import type {
  DoctorExpectation,
  DoctorNetwork,
  DoctorOptions,
  DoctorPair,
  DoctorPermission,
  DoctorPortMapping,
  DoctorReport,
  DoctorStunServer,
  OtherNetwork,
} from "./doctor_report.ts";
import { addressScope, formatSocketAddress, parseIpAddress } from "./nat/address.ts";
import { DISCOVERY_SCHEDULE } from "./nat/discovery/discovery.ts";
import type { MappingClass } from "./nat/mapping_class.ts";
import { judgePair, type PairSide } from "./nat/pair_outlook.ts";
import { StunClient } from "./nat/stun/client.ts";
import { selectProvider } from "./crypto/select_provider.ts";
import { socketsFor } from "./operation.ts";
import { chooseCodeCandidates } from "./rendezvous/code_candidates.ts";
import { codeProblemError } from "./rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "./rendezvous/share_code.ts";
import { after } from "./time.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import { extraSocketOpener, ExtraSockets } from "./transport/extra_sockets.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";
import { NetworkWatch } from "./traversal/network_watch.ts";
import { outsideHelp } from "./traversal/outside_help.ts";
import { findStunServers, readStunServers } from "./traversal/stun_servers.ts";
import { listInterfaces, resolveName } from "./traversal/system_network.ts";
import { VERSION } from "./version.ts";

/** How long is looked around by default, ms. */
const DEFAULT_LIMIT_MS = 5000;

/** How long a STUN server has to answer, ms. */
const SERVER_LIMIT_MS = 2000;

/** What stands for another network in a judgement: any address will do. */
const ELSEWHERE: PairSide["candidates"] = [{
  kind: "reflexive",
  address: { family: 4, host: "192.0.2.1", port: 1024 },
}];

const OTHER_NETWORKS: Readonly<Record<OtherNetwork, MappingClass>> = {
  public: "none",
  easy_router: "endpoint_independent",
  stepping_router: "port_dependent_stepping",
  random_router: "port_dependent_random",
};

/** The NATs whose next port is not the one that others saw. */
const HARD: readonly MappingClass[] = ["port_dependent_stepping", "port_dependent_random"];

/**
 * Examines this machine's network.
 *
 * @param code A share code to judge the pair by; a reply code is only recognised.
 * @param options Nothing is required; it takes some seconds.
 * @throws {TransferError} `bad_code` or `version_mismatch` for a code that cannot be read, and what
 *   opening a socket throws.
 */
export async function doctor(
  code: string | undefined,
  options: DoctorOptions = {},
): Promise<DoctorReport> {
  const other = code === undefined ? undefined : readCode(code, options.allowLoopback ?? false);
  options.signal?.throwIfAborted();
  const help = outsideHelp(options);
  const sockets = await socketsFor(options);
  const random = options.random ?? systemRandom;
  const clock = options.clock ?? systemClock;
  const live = new LiveEndpoint(
    { sockets, provider: selectProvider(), random, clock },
    () => {},
  );
  const extras = options.sockets
    ? undefined
    : new ExtraSockets(live, extraSocketOpener({ ...options.bind, ...options }));
  const looked = Promise.withResolvers<void>();
  const watch = new NetworkWatch({
    live,
    clock,
    random,
    extras,
    sockets: live.localSockets,
    ...help,
    interfaces: listInterfaces,
    manual: [],
    allowLoopback: options.allowLoopback ?? false,
    extended: true,
    onChange: () => {
      if (watch.report.isComplete) looked.resolve();
    },
  });
  const cancel = clock.setTimer(
    after(clock.now(), options.timeoutMs ?? DEFAULT_LIMIT_MS),
    looked.resolve,
  );
  options.signal?.addEventListener("abort", () => looked.resolve(), { once: true });
  try {
    const asked = askServers(live, clock, help.stunServers);
    if (help.stunServers.length === 0) looked.resolve();
    await Promise.all([watch.settled, looked.promise]);
    const servers = await asked;
    options.signal?.throwIfAborted();
    return report(live, watch, { options, servers, help, ...(other ? { other } : {}) });
  } finally {
    cancel();
    await watch.close();
    extras?.closeAll();
    live.close();
  }
}

function readCode(text: string, allowLoopback: boolean): ShareCode | "reply" {
  const decoded = decodeShareCode(text, { allowLoopback });
  if (decoded.ok) return decoded.code;
  if (decoded.problem.reason === "reply_code") return "reply";
  throw codeProblemError(decoded.problem);
}

/** Asks each server by itself, so that those which are out of order are named. */
async function askServers(
  live: LiveEndpoint,
  clock: Clock,
  texts: readonly string[],
): Promise<DoctorStunServer[]> {
  return await Promise.all(texts.map(async (server): Promise<DoctorStunServer> => {
    const client = new StunClient({ random: systemRandom, schedule: DISCOVERY_SCHEDULE });
    const answered = Promise.withResolvers<DoctorStunServer>();
    let isFound = false;
    live.attach(client, () => {
      const outcome = client.pollOutcome();
      if (outcome === undefined) return;
      answered.resolve(
        outcome.type === "answer"
          ? {
            server,
            outcome: "answered",
            ...(outcome.rttMs === undefined ? {} : { rttMs: outcome.rttMs }),
          }
          : { server, outcome: outcome.type },
      );
    });
    const cancel = clock.setTimer(
      after(clock.now(), SERVER_LIMIT_MS),
      () => answered.resolve({ server, outcome: isFound ? "silent" : "no_address" }),
    );
    await findStunServers(readStunServers([server]), resolveName, (addresses) => {
      const [path] = live.pathsTo(addresses);
      if (path === undefined) return;
      isFound = true;
      client.request(clock.now(), path);
      live.wake();
    });
    if (!isFound) answered.resolve({ server, outcome: "no_address" });
    const outcome = await answered.promise;
    cancel();
    live.detach(client);
    return outcome;
  }));
}

function report(
  live: LiveEndpoint,
  watch: NetworkWatch,
  what: {
    readonly options: DoctorOptions;
    readonly servers: readonly DoctorStunServer[];
    readonly help: { readonly portMapping: boolean };
    readonly other?: ShareCode | "reply";
  },
): DoctorReport {
  const { options, servers, help, other } = what;
  const interfaces = listInterfaces();
  const own: PairSide = { mapping: watch.mapping, candidates: chooseCodeCandidates(watch.known) };
  const network = networkOf(watch, servers);
  const portMapping = portMappingOf(watch, help.portMapping);
  const permissions = queryPermissions();
  const reflexive6 = watch.report.reflexive.find(({ address }) => address.family === 6)?.address;
  return {
    version: VERSION,
    runtime: { deno: Deno.version.deno, os: Deno.build.os, arch: Deno.build.arch },
    permissions,
    sockets: {
      kind: options.sockets ? "given" : permissions["unstable-net"] === "granted" ? "deno" : "node",
      families: live.localSockets.map(({ local }) => local.family),
      ports: live.localSockets.map(({ local }) => local.port),
      hopLimit: live.localSockets.every(({ index }) => live.canLimitHops(index)),
    },
    interfaces: interfaces.flatMap(({ name, address }) => {
      const ip = parseIpAddress(address);
      return ip ? [{ name, family: ip.family, address: ip.host }] : [];
    }),
    network,
    portMapping,
    ipv6: {
      global: hasGlobalIpv6(interfaces),
      ...(reflexive6 ? { reflexive: formatSocketAddress(reflexive6) } : {}),
    },
    mtu: "unknown",
    conclusion: expectations(own),
    ...(other ? { pair: pairOf(own, other) } : {}),
    advice: adviceFor(network, portMapping, hasGlobalIpv6(interfaces)),
  };
}

function networkOf(watch: NetworkWatch, servers: readonly DoctorStunServer[]): DoctorNetwork {
  const { report } = watch;
  return {
    mapping: report.mapping,
    filtering: report.filtering,
    portPattern: report.ports.pattern,
    ...(report.ports.step === undefined ? {} : { step: report.ports.step }),
    hairpin: report.hairpin ?? "unknown",
    lifetimeMs: report.lifetimeMs ?? "unknown",
    doubleNat: report.doubleNat ?? "unknown",
    reflexive: report.reflexive.map(({ address }) => formatSocketAddress(address)),
    stun: report.stun === "pending" ? "silent" : report.stun,
    servers,
  };
}

function portMappingOf(watch: NetworkWatch, isWanted: boolean): DoctorPortMapping {
  const { portMapping } = watch;
  if (portMapping === undefined) {
    // Without a private address there is no router that translates.
    const outcome = isWanted ? "not needed" : "off";
    return { outcomes: { pcp: outcome, "nat-pmp": outcome, upnp: outcome } };
  }
  const { mapped, outcomes } = portMapping;
  return {
    ...(mapped ? { by: mapped.by, external: formatSocketAddress(mapped.external) } : {}),
    outcomes,
  };
}

function pairOf(own: PairSide, other: ShareCode | "reply"): DoctorPair {
  if (other === "reply") return { code: "reply" };
  const { mappingClass, candidates } = other;
  const outlook = judgePair({ mapping: mappingClass, candidates }, own);
  return {
    code: "share",
    addresses: candidates.map(({ address }) => formatSocketAddress(address)),
    mapping: mappingClass,
    expected: outlook.method,
    advice: outlook.advice ? [outlook.advice.text] : [],
  };
}

/** What to expect of the usual networks, taken as the side that receives. */
function expectations(own: PairSide): DoctorExpectation[] {
  return (Object.keys(OTHER_NETWORKS) as OtherNetwork[]).map((other) => ({
    other,
    method: judgePair(own, { mapping: OTHER_NETWORKS[other], candidates: ELSEWHERE }).method,
  }));
}

function adviceFor(
  network: DoctorNetwork,
  portMapping: DoctorPortMapping,
  hasIpv6: boolean,
): string[] {
  const advice: string[] = [];
  if (network.stun === "silent") {
    advice.push(
      "No STUN server answered: either this network lets no UDP out, which only another network " +
        "cures, or their names cannot be looked up here: name others with --stun",
    );
  }
  const isHard = HARD.includes(network.mapping);
  const isBehindNat = network.mapping !== "none" && network.mapping !== "unknown";
  if (isBehindNat && portMapping.by === undefined) {
    advice.push(
      network.doubleNat === true
        ? "Two routers translate addresses one behind the other: if both are yours, let the inner " +
          "one be a bridge; else ask the carrier for a public address or for IPv6"
        : "Turn on port mapping (UPnP, NAT-PMP or PCP) in the router: everybody can then reach you",
    );
  }
  if (isHard && !hasIpv6) {
    advice.push("Use IPv6 if your carrier has it: it needs no foreseeable ports");
  }
  return advice;
}

function hasGlobalIpv6(interfaces: readonly LocalInterface[]): boolean {
  return interfaces.some(({ address }) => {
    const ip = parseIpAddress(address);
    return ip?.family === 6 && addressScope(ip) === "global";
  });
}

function queryPermissions(): Record<DoctorPermission, Deno.PermissionState> {
  const state = (name: Deno.PermissionDescriptor["name"]): Deno.PermissionState =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state;
  return {
    net: state("net"),
    read: state("read"),
    write: state("write"),
    sys: state("sys"),
    env: state("env"),
    ffi: state("ffi"),
    "unstable-net": typeof Deno.listenDatagram === "function" ? "granted" : "denied",
  };
}
