/** Goal: each case is run by the tools that can carry it, within the time a full run may take. */
import assert from "node:assert/strict";
import { parseOptions } from "../../../bench/process/command_line.ts";
import { emulatorArguments, laboratorySites, PATHS } from "../../../bench/process/path.ts";
import { planCases, planSeconds } from "../../../bench/process/plan.ts";
import { overCongestionControl, type Tool } from "../../../bench/process/tool.ts";

/** The longest a full run with three rounds may take. */
const MAX_MINUTES = 25;

function tool(name: string, parts: Partial<Tool> = {}): Tool {
  return {
    name,
    title: name,
    carrier: "tcp",
    bearsLoss: false,
    takesFolders: true,
    missing: () => undefined,
    version: () => Promise.resolve(name),
    transfer: () => Promise.reject(new Error("runs nothing")),
    ...parts,
  };
}

const OURS = { carrier: "udp", isOurs: true, bearsLoss: true } as const;
const SCP = tool("scp");
const TOOLS = [
  tool("p2pft", OURS),
  tool("p2pft-base", OURS),
  tool("p2pft-cubic", { ...OURS, bearsLoss: false }),
  SCP,
  overCongestionControl(SCP, "bbr"),
  tool("rsync"),
  overCongestionControl(tool("rsync"), "bbr"),
  tool("wormhole"),
  overCongestionControl(tool("wormhole"), "bbr"),
  tool("https"),
  overCongestionControl(tool("https"), "bbr"),
  tool("quic", { carrier: "udp" }),
  tool("quic-bbr", { carrier: "udp", bearsLoss: true }),
  tool("iperf3", { isCeiling: true, takesFolders: false }),
  overCongestionControl(tool("iperf3", { isCeiling: true, takesFolders: false }), "bbr"),
  tool("cp", { carrier: "none", isCeiling: true, bearsLoss: true }),
];

function plan(...args: readonly string[]): Map<string, string[]> {
  const planned = planCases(parseOptions(args)!, TOOLS);
  return new Map(planned.map(({ bench, tools }) => [bench.name, tools.map(({ name }) => name)]));
}

Deno.test("planCases lets only our program through our own emulator", () => {
  const cases = plan();
  assert.deepEqual(cases.get("lossy"), ["p2pft", "p2pft-cubic"]);
  assert.ok(cases.get("loopback")!.includes("scp"));
});

Deno.test("planCases has TCP tools on the lines of a laboratory, with each congestion control", () => {
  const lossy = plan("--natlab", "x").get("lossy")!;
  for (const name of ["p2pft", "scp", "scp-bbr", "https-bbr", "quic"]) {
    assert.ok(lossy.includes(name), name);
  }
});

Deno.test("planCases takes chosen tools only where they can run", () => {
  const cases = plan("--natlab", "x", "--tools", "iperf3,cp,scp-bbr", "--only", "small,clean");
  assert.deepEqual(cases.get("small"), ["scp-bbr", "cp"]);
  assert.deepEqual(cases.get("clean"), ["scp-bbr", "iperf3"]);
  assert.deepEqual(plan("--tools", "scp-bbr"), new Map());
});

Deno.test("planCases keeps to the paths that are asked for", () => {
  const cases = plan("--natlab", "x", "--paths", "deep,fast");
  assert.deepEqual([...cases.keys()], ["fast", "deep"]);
});

Deno.test("a full run with three rounds stays within its time", () => {
  const options = parseOptions(["--natlab", "x"])!;
  const seconds = planSeconds(planCases(options, TOOLS), options.runs);
  assert.ok(seconds > 600 && seconds < MAX_MINUTES * 60, `${(seconds / 60).toFixed(1)} minutes`);
});

Deno.test("parseOptions refuses what does not exist", () => {
  assert.throws(() => parseOptions(["--only", "nothing"]), RangeError);
  assert.throws(() => parseOptions(["--paths", "nowhere"]), RangeError);
  assert.throws(() => parseOptions(["--runs", "0"]), RangeError);
  assert.equal(parseOptions(["--help"]), undefined);
});

Deno.test("laboratorySites counts frames, so that a packet of 1500 bytes takes its time", () => {
  const [a, b] = laboratorySites(PATHS.clean.shape);
  assert.equal(a, "a=none,delay=25ms,rate=100933333,queue=630833");
  assert.equal(b, "b=none");
});

Deno.test("laboratorySites holds back what is to arrive late, after the line", () => {
  const [a, b] = laboratorySites(PATHS.long.shape);
  assert.equal(a, "a=none,delay=100ms,rate=100933333,queue=2523333,loss=2%,jitter=5ms");
  assert.equal(b, "b=none,delay=10ms,reorder=99%");
});

Deno.test("emulatorArguments says the same to our own emulator", () => {
  assert.equal(
    emulatorArguments(PATHS.long.shape).join(" "),
    "--rate 100mbit --rtt 200 --queue 2500000 --loss 0.02 --jitter 5 --reorder 0.01 --reorder-ms 10",
  );
});
