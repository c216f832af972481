/**
 * What `doctor` finds out about this machine and its network: the shape of its report. How it is
 * found out is in `doctor.ts`, how it is shown in `lib/cli`.
 *
 * `unknown` is an answer like any other here: nothing is guessed.
 */
import type { MappingClass } from "../nat/mapping_class.ts";
import type { ExpectedMethod } from "../nat/path_method.ts";
import type { PortMapOutcome, PortMapProtocol } from "../portmap/lease.ts";
import type { CommonOptions } from "../options.ts";

/** Options of `doctor`; `timeoutMs` is how long it asks around, some seconds by default. */
export type DoctorOptions = Pick<
  CommonOptions,
  | "bind"
  | "stunServers"
  | "portMapping"
  | "allowLoopback"
  | "allowSlowSocket"
  | "timeoutMs"
  | "signal"
  | "sockets"
  | "clock"
  | "random"
>;

/** Everything that was found out. */
export interface DoctorReport {
  /** Of this program, e.g. `0.1.0`. */
  readonly version: string;
  /** What it runs on. */
  readonly runtime: DoctorRuntime;
  /** What it may do, by the names of Deno's flags. */
  readonly permissions: Readonly<Record<DoctorPermission, "granted" | "denied" | "prompt">>;
  /** The sockets that datagrams go through. */
  readonly sockets: DoctorSockets;
  /** Where encryption comes from, e.g. `node:crypto`. */
  readonly cipher: string;
  /** Addresses of this machine; empty where they may not be listed. */
  readonly interfaces: readonly DoctorInterface[];
  /** What stands between this machine and the Internet. */
  readonly network: DoctorNetwork;
  /** Whether a router opens ports on request. */
  readonly portMapping: DoctorPortMapping;
  /** IPv6, which mostly needs no hole. */
  readonly ipv6: DoctorIpv6;
  /** What to expect of the usual networks at the other end. */
  readonly conclusion: readonly DoctorExpectation[];
  /** What to expect of the other side whose code was given. */
  readonly pair?: DoctorPair;
  /** What would help, in plain sentences; empty when nothing is wanting. */
  readonly advice: readonly string[];
}

/** What the program runs on. */
export interface DoctorRuntime {
  /** Version of Deno. */
  readonly deno: string;
  /** As `Deno.build.os` says. */
  readonly os: string;
  /** As `Deno.build.arch` says. */
  readonly arch: string;
}

/** Permissions that matter here; `unstable-net` is the flag behind the UDP socket. */
export type DoctorPermission = "net" | "read" | "write" | "sys" | "env" | "ffi" | "unstable-net";

/** The main sockets. */
export interface DoctorSockets {
  /** Which kind is in use: Deno's, that of `node:dgram`, or one that was handed in. */
  readonly kind: "deno" | "node" | "given";
  /** Which IP each speaks. */
  readonly families: readonly (4 | 6)[];
  /** The local port of each, in the same order. */
  readonly ports: readonly number[];
  /** `turbo`: the kernel cuts and joins datagrams, and has larger buffers. */
  readonly path: "base" | "turbo";
  /** What the kernel keeps for a busy program, bytes; where it can be told. */
  readonly receiveBufferBytes?: number;
  /** Whether probes can be made to end before they reach the other side's router. */
  readonly hopLimit: boolean;
}

/** An address of this machine. */
export interface DoctorInterface {
  /** The system's name of the interface. */
  readonly name: string;
  /** Which IP. */
  readonly family: 4 | 6;
  /** Without a port. */
  readonly address: string;
}

/** The NAT, as far as it could be made out. */
export interface DoctorNetwork {
  /** How it chooses outside ports. */
  readonly mapping: MappingClass;
  /** Whose datagrams it lets in (RFC 4787, section 5). */
  readonly filtering:
    | "unknown"
    | "endpoint_independent"
    | "address_dependent"
    | "address_and_port_dependent";
  /** How outside ports relate to inside ones, or to one another. */
  readonly portPattern: "unknown" | "preserving" | "sequential" | "random";
  /** From one outside port to the next, when they are sequential. */
  readonly step?: number;
  /** Whether machines behind it reach one another at their outside addresses. */
  readonly hairpin: boolean | "unknown";
  /** How long it keeps a silent mapping, ms. */
  readonly lifetimeMs: number | "unknown";
  /** Whether a second NAT stands behind the first. */
  readonly doubleNat: boolean | "unknown";
  /** The addresses that others see this machine at, as `host:port`. */
  readonly reflexive: readonly string[];
  /** Whether STUN servers answered; `off` when none was to be asked. */
  readonly stun: "answered" | "silent" | "off";
  /** Each server that was asked. */
  readonly servers: readonly DoctorStunServer[];
}

/** What came of asking one STUN server. */
export interface DoctorStunServer {
  /** As it was given, `host[:port]`. */
  readonly server: string;
  /** `no_address`: its name is not known. */
  readonly outcome: "answered" | "silent" | "no_address" | "refused";
  /** Round-trip time of its answer, ms. */
  readonly rttMs?: number;
}

/** What came of one protocol; `off` when it was not to be asked. */
export type DoctorPortMapOutcome =
  | Exclude<PortMapOutcome, "asking">
  | "no answer so far"
  | "off";

/** What a router said to the request for a port. */
export interface DoctorPortMapping {
  /** The protocol that opened one. */
  readonly by?: PortMapProtocol;
  /** The address it opened, as `host:port`. */
  readonly external?: string;
  /** What came of each. */
  readonly outcomes: Readonly<Record<PortMapProtocol, DoctorPortMapOutcome>>;
}

/** What there is of IPv6. */
export interface DoctorIpv6 {
  /** Whether this machine has an address that all the Internet can send to. */
  readonly global: boolean;
  /** How it was seen from outside, as `[host]:port`. */
  readonly reflexive?: string;
}

/**
 * Usual networks: `public` an address without a NAT, `easy_router` one outside port per program,
 * `stepping_router` and `random_router` another for every peer, in order or at random; `ipv6` a
 * hard one that has IPv6, too.
 */
export type OtherNetwork = "public" | "easy_router" | "stepping_router" | "random_router" | "ipv6";

/**
 * When the share code alone is expected to be enough: whoever shares, only when this machine shares,
 * only when the other one does, or never; else a reply code is needed.
 */
export type OneCode = "always" | "sending" | "receiving" | "never";

/** How a path to another network would be made. */
export interface DoctorExpectation {
  /** What is at the other end. */
  readonly other: OtherNetwork;
  /** How the two would meet: when one code is enough, if it is in one of the two directions. */
  readonly method: ExpectedMethod | "impossible";
  /** Whether one code is enough. */
  readonly oneCode: OneCode;
}

/** What the code that was given says of the pair. */
export type DoctorPair =
  /** A share code. */
  | {
    /** Which kind of code it is. */
    readonly code: "share";
    /** The addresses in it, as `host:port`. */
    readonly addresses: readonly string[];
    /** The NAT of the other side, as its code says. */
    readonly mapping: MappingClass;
    /** How the two would meet when this machine receives. */
    readonly expected: ExpectedMethod | "impossible";
    /** Whether this code alone is expected to be enough; else a reply code is needed. */
    readonly isOneCodeEnough: boolean;
    /** Whether the two seem to be in one local network. */
    readonly isOneNetwork: boolean;
    /** What would help this pair, in plain sentences. */
    readonly advice: readonly string[];
  }
  /** A reply code: only the share it answers can read it. */
  | {
    /** Which kind of code it is. */
    readonly code: "reply";
  };
