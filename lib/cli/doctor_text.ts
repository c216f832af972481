/**
 * The report of `doctor` as lines: first what it means, then what it was made of. Pure. All text of
 * the report is escaped here: servers and interfaces are named by others.
 */
import type {
  DoctorExpectation,
  DoctorNetwork,
  DoctorPair,
  DoctorPortMapping,
  DoctorReport,
  DoctorSockets,
  DoctorStunServer,
  OneCode,
  OtherNetwork,
} from "../doctor/doctor_report.ts";
import type { PortMapProtocol } from "../portmap/lease.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytes, formatMs, formatSeconds } from "./format.ts";
import { paint, type Style } from "./paint.ts";
import {
  ACCELERATION_WORDS,
  MAPPING_WORDS,
  METHOD_WORDS,
  PORT_MAPPING_NAMES,
} from "./path_messages.ts";
import { wrapWords } from "./text_width.ts";

/** How to write a report out. */
export interface DoctorTextOptions {
  readonly columns: number;
  readonly style: Style;
  /** `short` leaves the details out, `full` adds every server and address. */
  readonly detail: "short" | "usual" | "full";
}

/** A label and what stands behind it. */
type Row = readonly [label: string, value: string];

/** Columns of indent and label. */
const LABEL_COLUMNS = 22;
const INDENT = "  ";
const NOT_KNOWN = "not known";
const NOT_POSSIBLE = "not possible without help";

const HEADLINES: Readonly<Record<MappingClass, string>> = {
  unknown: "What your router does could not be found out.",
  none: "No router in between: this machine has an outside address of its own.",
  endpoint_independent: "Your router keeps one outside port per program: easy.",
  address_dependent: "Your router takes another outside port for each address: hard.",
  port_dependent_stepping:
    "Your router takes another outside port for each peer, but in steps: it can be foreseen.",
  port_dependent_random:
    "Your router takes another outside port for each peer, at random: the hardest kind.",
};

const OTHER_WORDS: Readonly<Record<OtherNetwork, string>> = {
  public: "public address",
  easy_router: "easy home router",
  stepping_router: "ports in steps",
  random_router: "random ports",
  ipv6: "IPv6 on both sides",
};

/** Behind how the two meet. */
const ONE_CODE_WORDS: Readonly<Record<OneCode, string>> = {
  always: "; the share code is enough",
  sending: " when you send, else a reply code is needed",
  receiving: " when they send, else a reply code is needed",
  never: "; a reply code is needed",
};

const FILTERING_WORDS: Readonly<Record<DoctorNetwork["filtering"], string>> = {
  unknown: NOT_KNOWN,
  endpoint_independent: "anyone, once the port is open",
  address_dependent: "only addresses that were sent to",
  address_and_port_dependent: "only ports that were sent to",
};

const SERVER_WORDS: Readonly<Record<DoctorStunServer["outcome"], string>> = {
  answered: "answered",
  silent: "silent",
  no_address: "its name has no address",
  refused: "refused",
};

const SOCKET_WORDS: Readonly<Record<DoctorSockets["kind"], string>> = {
  deno: "of Deno",
  node: "of node:dgram, slow",
  given: "given",
};

/** The whole report. */
export function doctorLines(report: DoctorReport, options: DoctorTextOptions): string[] {
  const { columns, detail } = options;
  const heading = (text: string) => ["", paint(text, "bold", options.style)];
  const rows = (list: readonly Row[]) => list.flatMap((row) => rowLines(row, columns));
  const { pair, advice } = report;
  return [
    ...wrapWords(HEADLINES[report.network.mapping], columns, INDENT),
    ...heading("How to reach another network:"),
    ...rows(report.conclusion.map(expectationRow)),
    ...(pair === undefined ? [] : [
      ...heading("The code that was given:"),
      ...pairLines(pair, columns),
    ]),
    ...(advice.length === 0 ? [] : [
      ...heading("What would help:"),
      ...advice.flatMap((sentence) => sentenceLines(sentence, columns)),
    ]),
    ...(detail === "short" ? [] : [
      ...heading("What was found:"),
      ...rows([...networkRows(report.network), ...surroundingRows(report)]),
      ...(detail === "full" ? rows(listedRows(report)) : []),
    ]),
  ];
}

/** A label in its column and a value that may take several lines beside it. */
function rowLines([label, value]: Row, columns: number): string[] {
  const room = Math.max(1, columns - LABEL_COLUMNS);
  return wrapWords(escapeText(value), room, "").map((line, index) =>
    (index === 0 ? `${INDENT}${label}` : "").padEnd(LABEL_COLUMNS) + line
  );
}

function sentenceLines(sentence: string, columns: number): string[] {
  return wrapWords(`${INDENT}${escapeText(sentence)}`, columns, INDENT.repeat(2));
}

function methodWords(method: DoctorExpectation["method"]): string {
  if (method === "unknown") return NOT_KNOWN;
  return method === "impossible" ? NOT_POSSIBLE : METHOD_WORDS[method];
}

function expectationRow({ other, method, oneCode }: DoctorExpectation): Row {
  const isOpen = method !== "impossible" && method !== "unknown";
  return [OTHER_WORDS[other], methodWords(method) + (isOpen ? ONE_CODE_WORDS[oneCode] : "")];
}

function pairWords(pair: DoctorPair & { readonly code: "share" }): string {
  if (pair.isOneNetwork) return `${METHOD_WORDS.direct}, in your own network`;
  const { expected, isOneCodeEnough } = pair;
  const isOpen = expected !== "impossible" && expected !== "unknown";
  return methodWords(expected) +
    (isOpen ? ONE_CODE_WORDS[isOneCodeEnough ? "always" : "never"] : "");
}

function pairLines(pair: DoctorPair, columns: number): string[] {
  if (pair.code === "reply") {
    return sentenceLines(
      "It is a reply code: only the share that it answers can read it. Ask about the share's code.",
      columns,
    );
  }
  const rows: Row[] = [
    ["way to meet", pairWords(pair)],
    ["their outside ports", MAPPING_WORDS[pair.mapping]],
    ...labelled("addresses", pair.addresses),
  ];
  return [
    ...rows.flatMap((row) => rowLines(row, columns)),
    ...pair.advice.flatMap((sentence) => sentenceLines(sentence, columns)),
  ];
}

/** Several values below one label. */
function labelled(label: string, values: readonly string[]): Row[] {
  return values.map((value, index) => [index === 0 ? label : "", value]);
}

function yesNo(value: boolean | "unknown"): string {
  if (value === "unknown") return NOT_KNOWN;
  return value ? "yes" : "no";
}

function networkRows(network: DoctorNetwork): Row[] {
  const { lifetimeMs } = network;
  return [
    ...labelled(
      "seen from outside",
      network.reflexive.length > 0 ? network.reflexive : [NOT_KNOWN],
    ),
    ["outside ports", MAPPING_WORDS[network.mapping]],
    ["port numbers", portPatternWords(network)],
    ["lets in", FILTERING_WORDS[network.filtering]],
    [
      "keeps silent ports",
      lifetimeMs === "unknown" ? NOT_KNOWN : formatSeconds(lifetimeMs / 1000),
    ],
    ["reaches itself", yesNo(network.hairpin)],
    ["second router", yesNo(network.doubleNat)],
    ["STUN servers", stunWords(network)],
  ];
}

function portPatternWords({ portPattern, step }: DoctorNetwork): string {
  switch (portPattern) {
    case "unknown":
      return NOT_KNOWN;
    case "preserving":
      return "the same outside as inside";
    case "sequential":
      return step === undefined ? "in steps" : `in steps of ${step}`;
    case "random":
      return "at random";
    default:
      return portPattern satisfies never;
  }
}

function stunWords({ servers }: DoctorNetwork): string {
  if (servers.length === 0) return "none asked";
  const answeredCount = servers.filter(({ outcome }) => outcome === "answered").length;
  return `${answeredCount} of ${servers.length} answered`;
}

/** What there is besides the NAT. */
function surroundingRows(report: DoctorReport): Row[] {
  const { sockets, ipv6, runtime } = report;
  const socket = sockets.families.map((family, index) =>
    `IPv${family} port ${sockets.ports[index] ?? NOT_KNOWN}`
  );
  return [
    ["port mapping", portMappingWords(report.portMapping)],
    ["IPv6", ipv6.global ? ipv6.reflexive ?? "yes" : "no address for the Internet"],
    ["sockets", [SOCKET_WORDS[sockets.kind], ...socket].join(", ")],
    ["data path", dataPathWords(report)],
    ["short-lived probes", sockets.hopLimit ? "yes" : "no: --allow-ffi would help"],
    ["permissions", permissionWords(report)],
    ["p2pft", `${report.version}, Deno ${runtime.deno}, ${runtime.os} ${runtime.arch}`],
  ];
}

function dataPathWords({ sockets, cipher }: DoctorReport): string {
  const { path, receiveBufferBytes } = sockets;
  const buffer = receiveBufferBytes === undefined
    ? []
    : [`${formatBytes(receiveBufferBytes)} of buffer`];
  return [ACCELERATION_WORDS[path], ...buffer, cipher].join(", ");
}

function portMappingWords({ by, external, outcomes }: DoctorPortMapping): string {
  if (by !== undefined) {
    return [PORT_MAPPING_NAMES[by], ...(external === undefined ? [] : [external])].join(", ");
  }
  const protocols = Object.keys(PORT_MAPPING_NAMES) as PortMapProtocol[];
  if (protocols.every((protocol) => outcomes[protocol] === "off")) return "not asked for";
  if (protocols.every((protocol) => outcomes[protocol] === "not needed")) return "not needed";
  return protocols.map((protocol) => `${PORT_MAPPING_NAMES[protocol]} ${outcomes[protocol]}`)
    .join(", ");
}

function permissionWords({ permissions }: DoctorReport): string {
  const named = (isGranted: boolean) =>
    Object.entries(permissions).filter(([, state]) => (state === "granted") === isGranted)
      .map(([name]) => name).join(", ");
  const [granted, missing] = [named(true), named(false)];
  return [granted || "none", ...(missing === "" ? [] : [`not ${missing}`])].join("; ");
}

/** One row for every server and every address of this machine. */
function listedRows({ network, interfaces }: DoctorReport): Row[] {
  const servers = network.servers.map(({ server, outcome, rttMs }) =>
    `${server} ${rttMs === undefined ? SERVER_WORDS[outcome] : formatMs(rttMs)}`
  );
  const addresses = interfaces.map(({ name, address }) => `${address} (${name})`);
  return [...labelled("servers asked", servers), ...labelled("this machine", addresses)];
}
