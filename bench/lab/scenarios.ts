/** The networks in which meetings are measured, and what is expected of each. */

/** A pair of networks. */
export interface Scenario {
  /** What it is, in a few words. */
  readonly name: string;
  /** The groups it belongs to. */
  readonly group: "pairs" | "loss" | "hard" | "change" | "speed";
  /** The sites, as natlab takes them. */
  readonly sites: readonly string[];
  /** Host that shares and host that receives. */
  readonly hosts: readonly [sender: string, receiver: string];
  /** What should happen: the way the path is made, or the code of the error. */
  readonly expected: readonly string[];
  /** Most that the median and the worst time may be, ms. */
  readonly limitsMs?: readonly [median: number, worst: number];
  /** A command of natlab before each meeting: where the one before would leave its traces. */
  readonly before?: readonly string[];
  /** A command of natlab in the middle of the transfer. */
  readonly change?: readonly string[];
}

/** One way from each site to the core: 80 ms from one site to another and back. */
const DELAY = "delay=20ms";
const LINE = `${DELAY},rate=20mbit`;
/** A line on which the routers, which share the machine with the programs, are not what limits. */
const FAST_LINE = "delay=10ms,rate=100mbit";

const PAIRS: readonly (readonly [
  name: string,
  sender: string,
  receiver: string,
  expected: string,
  limits?: readonly [number, number],
])[] = [
  ["public × easy", "none", "easy", "direct"],
  ["easy × public", "easy", "none", "direct|punched", [250, 500]],
  ["full cone × symmetric", "full-cone", "hard", "direct"],
  ["address-restricted × symmetric", "addr-restricted", "hard", "punched|birthday", [250, 500]],
  ["easy × easy", "easy", "easy", "punched", [250, 500]],
  ["firewall × firewall", "fw", "fw", "punched", [250, 500]],
  ["easy × easy with random ports", "easy", "eim-random", "punched", [250, 500]],
  ["easy × sequential", "easy", "sym-seq", "predicted", [400, 1000]],
  ["sequential × easy", "sym-seq", "easy", "predicted", [400, 1000]],
  ["sequential × sequential", "sym-seq", "sym-seq", "predicted"],
  ["easy × symmetric", "easy", "hard", "birthday", [1500, 4500]],
  ["symmetric × easy", "hard", "easy", "birthday", [1500, 4500]],
  ["easy × address-dependent", "easy", "sym-addr", "birthday", [1500, 4500]],
  ["address-dependent × easy", "sym-addr", "easy", "birthday", [1500, 4500]],
  ["address-dependent × address-dependent", "sym-addr", "sym-addr", "birthday"],
  ["address-dependent × symmetric", "sym-addr", "hard", "birthday"],
  ["symmetric × address-dependent", "hard", "sym-addr", "birthday"],
  ["sequential × address-dependent", "sym-seq", "sym-addr", "birthday"],
  ["Linux router × easy", "linux", "easy", "punched", [250, 500]],
  ["Linux router × Linux router", "linux", "linux", "punched", [250, 500]],
  ["Linux router with random ports × easy", "linux-random", "easy", "birthday", [1500, 4500]],
  ["symmetric × symmetric", "hard", "hard", "peer_unreachable"],
  ["UDP blocked × easy", "udp-blocked", "easy", "no connection"],
];

function pair(
  [name, sender, receiver, expected, limitsMs]: typeof PAIRS[number],
  options: string,
  group: Scenario["group"],
): Scenario {
  return {
    name,
    group,
    sites: [`a=${sender},${options}`, `b=${receiver},${options}`],
    hosts: ["a1", "b1"],
    expected: expected.split("|"),
    ...(limitsMs ? { limitsMs } : {}),
  };
}

function lossy(loss: string, limitsMs: readonly [number, number]): Scenario[] {
  return PAIRS.filter(([name]) => name === "easy × easy" || name === "easy × symmetric").map((
    row,
  ) => ({
    ...pair(row, DELAY, "loss"),
    // Each way, on one of the two lines.
    sites: [`a=${row[1]},${DELAY}`, `b=${row[2]},${DELAY},loss=${loss}`],
    name: `${row[0]}, ${loss} loss`,
    ...(row[0] === "easy × easy" ? { limitsMs } : {}),
  }));
}

/** All scenarios. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "same network",
    group: "pairs",
    sites: [`a=easy,hosts=2,${DELAY}`],
    hosts: ["a1", "a2"],
    expected: ["direct"],
    limitsMs: [500, 1000],
  },
  ...PAIRS.map((row) => pair(row, DELAY, "pairs")),
  {
    name: "easy × easy over IPv6 firewalls, IPv4 symmetric",
    group: "pairs",
    sites: [`a=hard,v6=fw,${DELAY}`, `b=hard,v6=fw,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["punched"],
    limitsMs: [250, 500],
  },
  {
    name: "router that opens a port × symmetric",
    group: "pairs",
    sites: [`a=linux,upnp=1,${DELAY}`, `b=hard,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["mapped"],
  },
  ...lossy("3%", [250, 500]),
  ...lossy("20%", [500, 1500]),
  {
    name: "behind a carrier's NAT × easy",
    group: "hard",
    sites: [`cg=easy,${DELAY}`, "a=easy,behind=cg", `b=easy,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["punched"],
    limitsMs: [250, 500],
  },
  {
    name: "two homes behind one carrier's NAT with hairpin",
    group: "hard",
    sites: [`cg=easy,hairpin=yes,${DELAY}`, "a=easy,behind=cg", "b=easy,behind=cg"],
    hosts: ["a1", "b1"],
    expected: ["punched", "direct"],
  },
  {
    name: "same private subnet on both sides",
    group: "hard",
    sites: [`a=easy,lan=192.168.1,${DELAY}`, `b=easy,lan=192.168.1,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["punched"],
    limitsMs: [250, 500],
  },
  {
    name: "easy × symmetric, router table of 64",
    group: "hard",
    sites: [`a=easy,${DELAY}`, `b=hard,maxmap=64,${DELAY}`],
    hosts: ["a1", "b1"],
    before: ["flush", "b"],
    expected: ["birthday"],
  },
  {
    name: "easy × symmetric, block of 1024 ports",
    group: "hard",
    sites: [`a=easy,${DELAY}`, `b=hard,ports=20000-21023,${DELAY}`],
    hosts: ["a1", "b1"],
    before: ["flush", "b"],
    expected: ["birthday"],
  },
  {
    name: "symmetric × easy, block of 1024 ports",
    group: "hard",
    sites: [`a=hard,ports=20000-21023,${DELAY}`, `b=easy,${DELAY}`],
    hosts: ["a1", "b1"],
    before: ["flush", "a"],
    expected: ["birthday"],
  },
  {
    name: "Linux router that accepts INPUT × easy",
    group: "hard",
    sites: [`a=linux,input=accept,${DELAY}`, `b=easy,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["punched"],
    limitsMs: [250, 500],
  },
  {
    name: "Linux routers that accept INPUT on both sides",
    group: "hard",
    sites: [`a=linux,input=accept,${DELAY}`, `b=linux,input=accept,${DELAY}`],
    hosts: ["a1", "b1"],
    expected: ["punched"],
    limitsMs: [250, 500],
  },
  ...([
    ["flush of the sender's router", "easy", "none", ["flush", "a"]],
    ["flush of the receiver's router", "easy", "easy", ["flush", "b"]],
    ["flush of a symmetric router", "none", "hard", ["flush", "b"]],
    ["flush of a router with random ports", "easy", "eim-random", ["flush", "b"]],
    ["new public address of the receiver", "none", "easy", ["renumber", "b"]],
    ["new public address of the sender", "easy", "none", ["renumber", "a"]],
    ["receiver roams to another network", "none", "easy", ["roam", "b1", "c"]],
    ["sender roams to another network", "easy", "none", ["roam", "a1", "c"]],
  ] as const).map(([name, sender, receiver, change]): Scenario => ({
    name,
    group: "change",
    sites: [`a=${sender},${LINE}`, `b=${receiver},${LINE}`, `c=easy,${LINE}`],
    hosts: ["a1", "b1"],
    expected: ["direct", "punched"],
    change,
  })),
  ...([
    ["direct path, 100 Mbit/s", "none", "none", "direct"],
    ["punched path, 100 Mbit/s", "easy", "easy", "punched"],
    ["predicted path, 100 Mbit/s", "easy", "sym-seq", "predicted"],
    ["birthday path, 100 Mbit/s", "easy", "hard", "birthday"],
  ] as const).map(([name, sender, receiver, expected]): Scenario => ({
    name,
    group: "speed",
    sites: [`a=${sender},${FAST_LINE}`, `b=${receiver},${FAST_LINE}`],
    hosts: ["a1", "b1"],
    expected: [expected],
  })),
];
