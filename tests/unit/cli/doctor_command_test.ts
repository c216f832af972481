import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import type { DoctorOptions } from "../../../lib/doctor/doctor_report.ts";
import { runProgram } from "../../../lib/cli/program.ts";
import { CLEAN_END_MS } from "../../../lib/cli/run_operation.ts";
import { DOCTOR_REPORT, FakeClock, FakeStreams, fakeWorld } from "./_fake_world.ts";

async function doctor(args: string[], streams = new FakeStreams(), env = {}) {
  const calls: { code: string | undefined; options: DoctorOptions }[] = [];
  const exit = await runProgram(
    ["doctor", ...args],
    fakeWorld({
      streams,
      env,
      doctor: (code, options) => {
        calls.push({ code, options });
        return Promise.resolve(DOCTOR_REPORT);
      },
    }),
  );
  return { exit, streams, ...calls[0]! };
}

Deno.test("doctor prints its report to output, each value in one piece on a pipe", async () => {
  const { exit, streams } = await doctor([]);
  assert.equal(exit, 0);
  assert.equal(streams.error, "");
  assert.match(streams.output, /^Your router keeps one outside port per program: easy\.\n/);
  assert.match(
    streams.output,
    /\n {2}port mapping {8}PCP silent, NAT-PMP silent, UPnP refused \(718 ConflictInMappingEntry\)\n/,
  );
});

Deno.test("doctor leaves nothing of its status line on a terminal", async () => {
  const { streams } = await doctor(["-q"], new FakeStreams({ terminal: true, columns: 60 }));
  assert.equal(
    streams.screen.lines[0],
    "Your router keeps one outside port per program: easy.",
  );
  const usual = await doctor([], new FakeStreams({ terminal: true, columns: 60 }));
  assert.match(usual.streams.error, /Looking at the network …/);
  assert.ok(!usual.streams.screen.lines.join().includes("Looking"));
});

Deno.test("doctor --json writes the report as one event", async () => {
  const { exit, streams } = await doctor(["--json"], new FakeStreams({ terminal: true }));
  assert.equal(exit, 0);
  assert.equal(streams.error, "");
  assert.deepEqual(streams.events, [{ v: 1, event: "doctor", ...DOCTOR_REPORT }]);
});

Deno.test("doctor passes the code and the options on", async () => {
  const words = ["--stun", "none", "--no-portmap", "--timeout", "3s", "--bind", "4000"];
  const { code, options } = await doctor(["p2p1x", ...words]);
  assert.equal(code, "p2p1x");
  assert.deepEqual(options.stunServers, []);
  assert.equal(options.portMapping, false);
  assert.equal(options.timeoutMs, 3000);
  assert.deepEqual(options.bind, { port: 4000 });
  assert.ok(options.signal instanceof AbortSignal);
  assert.equal((await doctor([])).code, undefined);
  assert.equal((await doctor([], undefined, { P2PFT_CODE: " p2p1env " })).code, "p2p1env");
});

Deno.test("doctor ends with 3 and two lines when the code is bad", async () => {
  const run = async (args: string[]) => {
    const streams = new FakeStreams();
    const error = new TransferError("bad_code", "Cannot read the code: it is short");
    const exit = await runProgram(
      ["doctor", "p2p1", ...args],
      fakeWorld({ streams, doctor: () => Promise.reject(error) }),
    );
    return { exit, streams };
  };
  const text = await run([]);
  assert.equal(text.exit, 3);
  assert.match(text.streams.error, /^Error: Cannot read the code: it is short\n {2}\S.*\n$/);
  const json = await run(["--json"]);
  assert.equal(json.exit, 3);
  assert.deepEqual(json.streams.events.map(({ event, code }) => [event, code]), [
    ["error", "bad_code"],
  ]);
});

Deno.test("doctor ends soon after Ctrl-C, also when the library does not", async () => {
  const interrupt = new AbortController();
  const clock = new FakeClock();
  const streams = new FakeStreams();
  const exit = runProgram(
    ["doctor"],
    fakeWorld({ streams, clock, signal: interrupt.signal, doctor: () => new Promise(() => {}) }),
  );
  // The command line and the permissions are looked at first.
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  interrupt.abort();
  clock.advance(CLEAN_END_MS);
  assert.equal(await exit, 130);
  assert.match(streams.error, /^Interrupted\n$/);
});

Deno.test("doctor names the permission that is missing", async () => {
  const streams = new FakeStreams();
  const granted = ({ name }: Deno.PermissionDescriptor) => name !== "net";
  assert.equal(await runProgram(["doctor"], fakeWorld({ streams, granted })), 24);
  assert.match(
    streams.error,
    /Cannot look at the network: missing permission to use the network \(--allow-net\)/,
  );
});
