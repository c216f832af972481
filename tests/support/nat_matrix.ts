/**
 * Every pair of networks, with what is expected of it: the table of docs/nat.md, which
 * `bench/nat/run.ts` measures with many seeds and `tests/sim/nat_matrix_test.ts` checks with few.
 */
import { ConntrackBox } from "./conntrack_box.ts";
import { NatBox, type NatBoxOptions } from "./nat_box.ts";
import { IPV6_FIREWALL, NAT_KINDS, type NatKind, natKind, UDP_BLOCKED } from "./nat_kinds.ts";
import {
  BIRTHDAY,
  DIRECT,
  type Expectation,
  HALF,
  MAPPED,
  NONE,
  OPEN,
  PREDICTED,
  PUNCHED,
  SLOW,
  SLOWEST,
  TRAPPED,
} from "./nat_expectation.ts";
import type { PairSetting } from "./nat_pair.ts";
import type { SimInternet } from "./sim_internet.ts";

/** A pair, or the same pair under special conditions. */
export interface MatrixCase {
  /** Of the sharer's network. */
  readonly sharer: string;
  /** Of the client's. */
  readonly client: string;
  /** What is special; empty for the plain matrix. */
  readonly condition: string;
  readonly expected: Expectation;
  readonly setting: PairSetting;
}

const SHARER_HOST = "203.0.113.10";
const CLIENT_HOST = "198.51.100.20";
const SHARER_HOST_V6 = "2001:db8:1::10";
const CLIENT_HOST_V6 = "2001:db8:2::20";

const LETTERS: Readonly<Record<string, Expectation>> = {
  d: DIRECT,
  p: PUNCHED,
  o: OPEN,
  r: PREDICTED,
  b: BIRTHDAY,
  h: HALF,
  s: SLOW,
  t: SLOWEST,
  "-": NONE,
  x: TRAPPED,
};

/** A row for each sharer, a letter for each client, both in the order of {@linkcode NAT_KINDS}. */
const EXPECTED: Readonly<Record<string, string>> = {
  "none": "ddddddddddddddd",
  "firewall": "ppppppppppbrbbb",
  "full-cone": "ddddddddddddddd",
  "addr-restricted": "pppppppppporooo",
  "port-restricted": "ppppppppppbrbbb",
  "eim-random": "ppppppppppbrbbb",
  "double": "ppppppppppbrbbb",
  "far-carrier": "ppppppppppbrbbb",
  "phone": "ppppppppppbrbbb",
  "linux": "pppppxxxxpbrbxb",
  "sym-addr": "oboobbhhhbbssst",
  "sym-seq": "rrrrrrrrrrbr---",
  "symmetric": "oboobbhhhbb----",
  "sym-phone": "oboobbhhhbb----",
  "sym-block": "oboobbbbbbb----",
};

/** Every pair of kinds. */
export const MATRIX: readonly MatrixCase[] = NAT_KINDS.flatMap((sharer) =>
  NAT_KINDS.map((client, column): MatrixCase => ({
    sharer: sharer.name,
    client: client.name,
    condition: "",
    expected: LETTERS[EXPECTED[sharer.name]![column]!]!,
    setting: apart(sharer, client),
  }))
);

/** Some pairs under special conditions. */
const SPECIAL_CASES: readonly MatrixCase[] = [
  special("IPv6 firewall", "IPv6 firewall", "", PUNCHED),
  special("none", "UDP blocked", "", NONE),
  special("UDP blocked", "none", "", NONE),
  {
    ...special("port-restricted", "port-restricted", "same LAN, no hairpin", DIRECT),
    setting: { place: (internet) => sameLan(internet, "none") },
  },
  {
    ...special("port-restricted", "port-restricted", "same LAN, hairpin", DIRECT),
    setting: { place: (internet) => sameLan(internet, "external_source") },
  },
  {
    ...special("double", "double", "same carrier, hairpin", PUNCHED),
    setting: { place: (internet) => sameCarrier(internet, "external_source") },
  },
  {
    ...special("double", "double", "same carrier, no hairpin", NONE),
    setting: { place: (internet) => sameCarrier(internet, "none") },
  },
  {
    ...special("symmetric", "symmetric", "sharer's port opened", {
      ...MAPPED,
      isOneCode: true,
      withinMs: 2000,
    }),
    setting: apart(withOpenPort(natKind("symmetric")), natKind("symmetric")),
  },
  {
    ...special("symmetric", "symmetric", "client's port opened", {
      ...MAPPED,
      methods: ["mapped", "punched"],
    }),
    setting: apart(natKind("symmetric"), withOpenPort(natKind("symmetric"))),
  },
  ...[
    ["port-restricted", "port-restricted", PUNCHED],
    ["IPv6 firewall", "IPv6 firewall", PUNCHED],
    ["port-restricted", "sym-seq", PREDICTED],
    ["sym-seq", "port-restricted", PREDICTED],
    ["port-restricted", "symmetric", BIRTHDAY],
    ["symmetric", "port-restricted", BIRTHDAY],
    ["addr-restricted", "symmetric", OPEN],
  ].flatMap(([sharer, client, expected]) => {
    const pair = [sharer as string, client as string, expected as Expectation] as const;
    return [lossy(...pair, 0.03), lossy(...pair, 0.2)];
  }),
  unlimitedHops("port-restricted", "port-restricted", PUNCHED),
  unlimitedHops("port-restricted", "linux", PUNCHED),
  unlimitedHops("linux", "port-restricted", NONE),
  unlimitedHops("linux", "phone", NONE),
  unlimitedHops("symmetric", "phone", BIRTHDAY),
  {
    ...special("symmetric", "port-restricted", "sharer's Linux accepts INPUT, random ports", HALF),
    setting: apart(randomLinux(), natKind("port-restricted")),
  },
  {
    ...special("symmetric", "phone", "sharer's Linux accepts INPUT, random ports", {
      // The trap takes what arrives, and what does not arrive opens nothing: luck after the paste.
      ...BIRTHDAY,
      successRate: 0.25,
      p50Ms: 3000,
      p95Ms: 5000,
    }),
    setting: apart(randomLinux(), natKind("phone")),
  },
  {
    ...special("port-restricted", "symmetric", "table of 64 mappings", {
      ...BIRTHDAY,
      successRate: 0.75,
      p50Ms: 2500,
      p95Ms: 5000,
    }),
    setting: apart(natKind("port-restricted"), smallTable()),
  },
  {
    ...special("eim-random", "eim-random", "mappings live 30 s, paste after 10 minutes", PUNCHED),
    setting: {
      ...apart(shortLived(30_000), shortLived(30_000)),
      pasteAfterMs: 600_000,
    },
  },
  {
    ...special("port-restricted", "sym-seq", "others take 1 port a second", PREDICTED),
    setting: apart(natKind("port-restricted"), busy(1)),
  },
  {
    ...special("sym-seq", "port-restricted", "others take 1 port a second", PREDICTED),
    setting: apart(busy(1), natKind("port-restricted")),
  },
];

/** The matrix and the special cases. */
export const ALL_CASES: readonly MatrixCase[] = [...MATRIX, ...SPECIAL_CASES];

/** `sharer × client`, and the condition if there is one. */
export function caseName({ sharer, client, condition }: MatrixCase): string {
  return `${sharer} × ${client}${condition === "" ? "" : `, ${condition}`}`;
}

/** A seed of its own for each pair, so that no two have the same luck. */
export function caseSeed(matrixCase: MatrixCase, seed: number): number {
  let hash = seed;
  for (const character of caseName(matrixCase)) {
    hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  }
  return hash >>> 0;
}

function apart(sharer: NatKind, client: NatKind): PairSetting {
  return {
    place: (internet) => ({
      sharer: sharer.build(internet, sharer.family === 6 ? SHARER_HOST_V6 : SHARER_HOST),
      client: client.build(internet, client.family === 6 ? CLIENT_HOST_V6 : CLIENT_HOST),
    }),
  };
}

function special(
  sharer: string,
  client: string,
  condition: string,
  expected: Expectation,
): MatrixCase {
  const setting = apart(natKind(sharer), natKind(client));
  return { sharer, client, condition, expected, setting };
}

function lossy(
  sharer: string,
  client: string,
  expected: Expectation,
  lossRate: number,
): MatrixCase {
  const matrixCase = special(sharer, client, `${lossRate * 100} % loss`, expected);
  const setting = { ...matrixCase.setting, lossRate };
  if (lossRate < 0.1) return { ...matrixCase, setting };
  const { p50Ms, p95Ms } = expected;
  const harder: Expectation = {
    ...expected,
    methods: ["punched", "predicted", "birthday", "direct"],
    // With one datagram in five lost, STUN does not always tell the class of a NAT in time.
    successRate: expected.path === "punched" ? 0.99 : 0.97,
    p50Ms: 2 * p50Ms,
    p95Ms: Math.max(1500, p95Ms),
  };
  return { ...matrixCase, expected: harder, setting };
}

function unlimitedHops(sharer: string, client: string, expected: Expectation): MatrixCase {
  const matrixCase = special(sharer, client, "hops cannot be limited", expected);
  return { ...matrixCase, setting: { ...matrixCase.setting, canLimitHops: false } };
}

type Hairpin = "none" | "external_source";

function sameLan(internet: SimInternet, hairpin: Hairpin): ReturnType<PairSetting["place"]> {
  const router = new NatBox({ externalHost: SHARER_HOST, hairpin }, internet.world.prng.fork());
  const network = internet.behind(router);
  return { sharer: { network, host: "192.168.1.2" }, client: { network, host: "192.168.1.3" } };
}

function sameCarrier(internet: SimInternet, hairpin: Hairpin): ReturnType<PairSetting["place"]> {
  const { prng } = internet.world;
  const carrier = new NatBox({ externalHost: SHARER_HOST, hairpin }, prng.fork());
  const network = internet.behind(carrier, internet.core, { delayMs: 5 });
  const home = (host: string) =>
    internet.behind(new NatBox({ externalHost: host }, prng.fork()), network);
  return {
    sharer: { network: home("100.64.3.7"), host: "192.168.1.2" },
    client: { network: home("100.64.9.1"), host: "192.168.2.2" },
  };
}

/** The same kind, with a router that opens ports on request. */
function withOpenPort(kind: NatKind): NatKind {
  return {
    ...kind,
    build: (internet, publicHost) => {
      const router = new NatBox({
        externalHost: publicHost,
        mapping: "address_and_port_dependent",
        ports: "random",
      }, internet.world.prng.fork());
      return {
        network: internet.behind(router),
        host: "192.168.1.2",
        openPort: (inside) => {
          router.forward(inside.port, inside);
          return { family: 4, host: publicHost, port: inside.port };
        },
      };
    },
  };
}

/** A Linux router that accepts INPUT and gives every connection a random port. */
function randomLinux(): NatKind {
  return {
    ...natKind("symmetric"),
    build: (internet, externalHost) => {
      const options = { externalHost, input: "accept", ports: "random" } as const;
      const router = new ConntrackBox(options, internet.world.prng.fork());
      return { network: internet.behind(router), host: "192.168.1.2" };
    },
  };
}

/** A kind with another NAT in its place. */
function withNat(name: string, options: Omit<NatBoxOptions, "externalHost">): NatKind {
  return {
    ...natKind(name),
    build: (internet, externalHost) => {
      const router = new NatBox({ externalHost, ...options }, internet.world.prng.fork());
      return { network: internet.behind(router), host: "192.168.1.2" };
    },
  };
}

function smallTable(): NatKind {
  return withNat("symmetric", {
    mapping: "address_and_port_dependent",
    ports: "random",
    maxMappings: 64,
  });
}

/** A NAT that forgets soon, and that datagrams from outside do not remind. */
function shortLived(lifetimeMs: number): NatKind {
  return withNat("eim-random", { ports: "random", lifetimeMs, refresh: "outbound" });
}

/** A sequential NAT whose other hosts make mappings at random times. */
function busy(mappingsPerSecond: number): NatKind {
  return {
    ...natKind("sym-seq"),
    build: (internet, publicHost) => {
      const { world } = internet;
      const prng = world.prng.fork();
      const router = new NatBox({
        externalHost: publicHost,
        mapping: "address_and_port_dependent",
        ports: "sequential",
      }, world.prng.fork());
      const take = (): void => {
        const from = { family: 4, host: "192.168.1.99", port: prng.integer(1024, 65_535) } as const;
        router.outbound(world.nowMs, from, { family: 4, host: "192.0.2.77", port: 443 });
        world.schedule(
          world.nowMs - Math.log(1 - prng.fraction()) * 1000 / mappingsPerSecond,
          take,
        );
      };
      take();
      return { network: internet.behind(router), host: "192.168.1.2" };
    },
  };
}

/** The kinds that docs/nat.md describes. */
export const DESCRIBED_KINDS: readonly NatKind[] = [...NAT_KINDS, IPV6_FIREWALL, UDP_BLOCKED];
