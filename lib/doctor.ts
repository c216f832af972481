/**
 * What this machine's network is, and whom it can meet: asks STUN servers and the router, as a share
 * or a receive would, and judges. Nothing is sent to anybody else; the addresses in a code are read,
 * not tried.
 */
import { forecastNetworks, forecastPair } from "./doctor/doctor_forecast.ts";
import type { LocalInterface } from "./rendezvous/local_candidates.ts";
import type {
  DoctorNetwork,
  DoctorOptions,
  DoctorPermission,
  DoctorPortMapping,
  DoctorReport,
  DoctorStunServer,
} from "./doctor/doctor_report.ts";
import { reportPortMapping } from "./doctor/doctor_port_mapping.ts";
import { askServers } from "./doctor/doctor_servers.ts";
import { addressScope, formatSocketAddress, parseIpAddress } from "./nat/address.ts";
import type { MappingClass } from "./nat/mapping_class.ts";
import type { PairSide } from "./nat/pair_side.ts";
import { extraSocketsFor, socketsFor } from "./operation/operation.ts";
import { chooseCodeCandidates } from "./rendezvous/code_candidates.ts";
import { codeProblemError } from "./rendezvous/code_error.ts";
import { decodeShareCode, type ShareCode } from "./rendezvous/share_code.ts";
import { after } from "./time.ts";
import { systemClock } from "./transport/clock.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";
import { NetworkWatch } from "./traversal/network_watch.ts";
import { outsideHelp } from "./traversal/outside_help.ts";
import { listInterfaces, resolveName } from "./traversal/system_network.ts";
import { selectSystemProvider } from "./operation/system_provider.ts";
import { VERSION } from "./version.ts";

/** How long is looked around by default, ms. */
const DEFAULT_LIMIT_MS = 5000;

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
  const provider = await selectSystemProvider();
  const live = new LiveEndpoint(
    { sockets, provider, random, clock },
    () => {},
  );
  const extras = extraSocketsFor(live, options);
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
    const asked = askServers(help.stunServers, { live, clock, random, resolve: resolveName });
    if (help.stunServers.length === 0) looked.resolve();
    await Promise.all([watch.settled, looked.promise]);
    const servers = await asked;
    options.signal?.throwIfAborted();
    return report(live, watch, {
      options,
      cipher: provider.createAesGcm ? `${provider.name} with AES-256-GCM` : provider.name,
      servers,
      help,
      ...(other ? { other } : {}),
    });
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

function report(
  live: LiveEndpoint,
  watch: NetworkWatch,
  what: {
    readonly options: DoctorOptions;
    readonly cipher: string;
    readonly servers: readonly DoctorStunServer[];
    readonly help: { readonly portMapping: boolean };
    readonly other?: ShareCode | "reply";
  },
): DoctorReport {
  const { options, servers, help, other } = what;
  const interfaces = listInterfaces();
  const acceleration = live.sockets.get(0)?.acceleration;
  const own: PairSide = { mapping: watch.mapping, candidates: chooseCodeCandidates(watch.known) };
  const network = networkOf(watch, servers);
  const portMapping = reportPortMapping(watch.portMapping, help.portMapping);
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
      path: acceleration?.path ?? "base",
      ...(acceleration?.receiveBufferBytes === undefined
        ? {}
        : { receiveBufferBytes: acceleration.receiveBufferBytes }),
      hopLimit: live.localSockets.every(({ index }) => live.canLimitHops(index)),
    },
    cipher: what.cipher,
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
    conclusion: forecastNetworks(own),
    ...(other ? { pair: forecastPair(own, other) } : {}),
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
