import assert from "node:assert/strict";
import { parseEmulatorArguments, parseRate } from "../../support/link_emulator.ts";

Deno.test("parseRate reads bits per second into bytes per second", () => {
  assert.equal(parseRate("100mbit"), 12_500_000);
  assert.equal(parseRate("1.5gbit"), 187_500_000);
  assert.equal(parseRate("256kbit"), 32_000);
  assert.equal(parseRate("800bit"), 100);
  for (const wrong of ["100", "100MB", "", "-1mbit"]) assert.throws(() => parseRate(wrong));
});

Deno.test("parseEmulatorArguments splits the round trip and queues one bandwidth-delay product", () => {
  const { options, json } = parseEmulatorArguments(
    "--listen 0 --target 127.0.0.1:5000 --rate 100mbit --rtt 50 --loss 0.01 --jitter 5 --seed 7 --json"
      .split(" "),
  );
  assert.deepEqual(options, {
    listen: { family: 4, host: "127.0.0.1", port: 0 },
    target: { family: 4, host: "127.0.0.1", port: 5000 },
    toTarget: {
      delayMs: 25,
      rateBytesPerSecond: 12_500_000,
      queueBytes: 625_000,
      lossRate: 0.01,
      jitterMs: 5,
    },
    toClients: options.toTarget,
    seed: 7,
  });
  assert.equal(json, true);
});

Deno.test("parseEmulatorArguments reads IPv6 addresses and bursts", () => {
  const { options } = parseEmulatorArguments(
    ["--listen", "[::1]:4000", "--target", "[fd00::2]:5000", "--burst", "0.01:20"],
  );
  assert.deepEqual(options.listen, { family: 6, host: "::1", port: 4000 });
  assert.deepEqual(options.target, { family: 6, host: "fd00::2", port: 5000 });
  assert.deepEqual(options.toTarget.burstLoss, { enterRate: 0.01, leaveRate: 0.05 });
});

Deno.test("parseEmulatorArguments refuses what it cannot read", () => {
  for (
    const line of [
      "--rate 1mbit",
      "--target localhost",
      "--target 127.0.0.1:70000",
      "--target 127.0.0.1:5000 --loss much",
      "--target 127.0.0.1:5000 --jitter-kind odd",
      "--target 127.0.0.1:5000 --unknown",
    ]
  ) {
    assert.throws(() => parseEmulatorArguments(line.split(" ")), line);
  }
});
