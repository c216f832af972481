import assert from "node:assert/strict";
import type { DoctorPair, DoctorReport } from "../../../lib/doctor/doctor_report.ts";
import { doctorLines, type DoctorTextOptions } from "../../../lib/cli/doctor_text.ts";
import { textWidth } from "../../../lib/cli/text_width.ts";
import { MAPPING_CLASSES } from "../../../lib/nat/mapping_class.ts";
import { DOCTOR_REPORT } from "./_fake_world.ts";

const lines = (report: DoctorReport, options: Partial<DoctorTextOptions> = {}): string[] =>
  doctorLines(report, { columns: 60, style: { color: false }, detail: "usual", ...options });

Deno.test("doctorLines says first what it means, then what was found", () => {
  assert.deepEqual(lines(DOCTOR_REPORT), [
    "Your router keeps one outside port per program: easy.",
    "",
    "How to reach another network:",
    "  public address      direct when they send, else a reply",
    "                      code is needed",
    "  easy home router    hole punched; a reply code is needed",
    "  ports in steps      through a port that was foreseen; a",
    "                      reply code is needed",
    "  random ports        found by trying many ports; a reply",
    "                      code is needed",
    "",
    "What would help:",
    "  Turn on UPnP in the router: then even hard networks are",
    "    reached at once.",
    "",
    "What was found:",
    "  seen from outside   203.0.113.5:41000",
    "                      203.0.113.5:41001",
    "  outside ports       one outside port per program",
    "  port numbers        the same outside as inside",
    "  lets in             only ports that were sent to",
    "  keeps silent ports  2m00s",
    "  reaches itself      no",
    "  second router       not known",
    "  STUN servers        1 of 2 answered",
    "  port mapping        PCP silent, NAT-PMP silent, UPnP",
    "                      refused (718 ConflictInMappingEntry)",
    "  IPv6                no address for the Internet",
    "  sockets             of Deno, IPv4 port 41000, IPv6 port",
    "                      41001",
    "  data path           plain, node:crypto",
    "  short-lived probes  no: --allow-ffi would help",
    "  permissions         net, sys, unstable-net; not read,",
    "                      write, env, ffi",
    "  p2pft               0.1.0, Deno 2.9.6, linux x86_64",
  ]);
});

Deno.test("doctorLines leaves details out when short and lists all of them when full", () => {
  assert.ok(!lines(DOCTOR_REPORT, { detail: "short" }).includes("What was found:"));
  assert.deepEqual(lines(DOCTOR_REPORT, { detail: "full" }).slice(-3), [
    "  servers asked       stun.example.org:3478 24 ms",
    "                      stun.example.net:3478 silent",
    "  this machine        192.168.1.5 (wlan0)",
  ]);
});

Deno.test("doctorLines judges the pair behind a share code", () => {
  const pair = {
    code: "share",
    addresses: ["203.0.113.9:4000", "192.168.1.7:4000"],
    mapping: "port_dependent_random",
    expected: "impossible",
    isOneCodeEnough: false,
    isOneNetwork: false,
    advice: ["Use IPv6."],
  } as const;
  const text = lines({ ...DOCTOR_REPORT, pair });
  const at = text.indexOf("The code that was given:");
  assert.deepEqual(text.slice(at + 1, at + 7), [
    "  way to meet         not possible without help",
    "  their outside ports another outside port for each peer, at",
    "                      random",
    "  addresses           203.0.113.9:4000",
    "                      192.168.1.7:4000",
    "  Use IPv6.",
  ]);
});

Deno.test("doctorLines says whether a code is enough, and what is not known", () => {
  const share = {
    code: "share",
    addresses: [],
    mapping: "unknown",
    expected: "direct",
    isOneCodeEnough: true,
    isOneNetwork: false,
    advice: [],
  } as const;
  const wayOf = (pair: DoctorPair): string | undefined =>
    lines({ ...DOCTOR_REPORT, pair }, { columns: 100 }).find((line) => line.includes("way to meet"))
      ?.trim().slice("way to meet".length).trim();
  assert.equal(wayOf(share), "direct; the share code is enough");
  assert.equal(wayOf({ ...share, isOneNetwork: true }), "direct, in your own network");
  assert.equal(
    wayOf({ ...share, expected: "punched", isOneCodeEnough: false }),
    "hole punched; a reply code is needed",
  );
  assert.equal(wayOf({ ...share, expected: "unknown", isOneCodeEnough: false }), "not known");

  const conclusion = [
    { other: "public", method: "direct", oneCode: "always" },
    { other: "easy_router", method: "mapped", oneCode: "sending" },
    { other: "random_router", method: "unknown", oneCode: "never" },
    { other: "ipv6", method: "impossible", oneCode: "never" },
  ] as const;
  const text = lines({ ...DOCTOR_REPORT, conclusion }, { columns: 100 });
  const at = text.indexOf("How to reach another network:");
  assert.deepEqual(text.slice(at + 1, at + 5), [
    "  public address      direct; the share code is enough",
    "  easy home router    through a port that a router opened when you send, " +
    "else a reply code is needed",
    "  random ports        not known",
    "  IPv6 on both sides  not possible without help",
  ]);
});

Deno.test("doctorLines says that a reply code tells nothing by itself", () => {
  const text = lines({ ...DOCTOR_REPORT, pair: { code: "reply" } }).join("\n");
  assert.match(text, /It is a reply code: only the share that it answers can\n {4}read it\./);
});

Deno.test("doctorLines fits 60 columns for every mapping, and says unknown when it is", () => {
  for (const mapping of MAPPING_CLASSES) {
    const report: DoctorReport = {
      ...DOCTOR_REPORT,
      network: {
        ...DOCTOR_REPORT.network,
        mapping,
        filtering: "unknown",
        portPattern: "sequential",
        step: 2,
        hairpin: "unknown",
        lifetimeMs: "unknown",
        reflexive: [],
        stun: "off",
        servers: [],
      },
    };
    const text = lines(report, { detail: "full" });
    for (const line of text) assert.ok(textWidth(line) <= 60, line);
    assert.ok(text.includes("  seen from outside   not known"));
    assert.ok(text.includes("  port numbers        in steps of 2"));
    assert.ok(text.includes("  STUN servers        none asked"));
  }
});

Deno.test("doctorLines names what a router opened, and what was not asked for", () => {
  const mapped = lines({
    ...DOCTOR_REPORT,
    portMapping: { ...DOCTOR_REPORT.portMapping, by: "upnp", external: "203.0.113.5:4000" },
  });
  assert.ok(mapped.includes("  port mapping        UPnP, 203.0.113.5:4000"));
  const off = lines({
    ...DOCTOR_REPORT,
    portMapping: { outcomes: { pcp: "off", "nat-pmp": "off", upnp: "off" } },
  });
  assert.ok(off.includes("  port mapping        not asked for"));
});

Deno.test("doctorLines escapes names that others chose", () => {
  const interfaces = [{ name: "a\x1b[2J", family: 4, address: "192.0.2.1" }] as const;
  const text = lines({ ...DOCTOR_REPORT, interfaces, advice: ["x\rb"] }, { detail: "full" });
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\x1b\r]/.test(text.join("\n")));
});
