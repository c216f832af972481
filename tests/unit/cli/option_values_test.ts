import assert from "node:assert/strict";
import {
  MAX_TIMEOUT_MS,
  parseAddressOption,
  parseBindOption,
  parseCount,
  parseDuration,
  parseRate,
  parseStunOption,
} from "../../../lib/cli/option_values.ts";

Deno.test("parseDuration reads whole numbers with units", () => {
  assert.equal(parseDuration("30s"), 30_000);
  assert.equal(parseDuration("10m"), 600_000);
  assert.equal(parseDuration("1h30m"), 5_400_000);
  assert.equal(parseDuration("24d"), MAX_TIMEOUT_MS);
});

Deno.test("parseDuration refuses what is no duration or out of range", () => {
  for (
    const text of ["", "30", "s", "0s", "-1s", "1.5h", "10m1h", "1h 30m", "25d", "9999999999s"]
  ) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

Deno.test("parseRate reads bytes and bits a second in decimal units", () => {
  const rates: Record<string, number> = {
    "1000": 1000,
    "500k": 500_000,
    "500K": 500_000,
    "500kB": 500_000,
    "1.5MB/s": 1_500_000,
    "2M": 2_000_000,
    "2m/s": 2_000_000,
    "1G": 1_000_000_000,
    "8000bit": 1000,
    "800kbit": 100_000,
    "10Mbit": 1_250_000,
    "2.5Gbit/s": 312_500_000,
    "1000000M": 1e12,
  };
  for (const [text, rate] of Object.entries(rates)) assert.equal(parseRate(text), rate, text);
});

Deno.test("parseRate refuses what is no rate or out of range", () => {
  for (
    const text of [
      "",
      "k",
      "0",
      "999",
      "7000bit",
      "-2M",
      "2 M",
      "2MiB",
      "2x",
      "2Mbps",
      "1e6",
      ".5M",
      "1,5M",
      "2M/min",
      "1000001M",
      "9".repeat(400),
      "Infinity",
    ]
  ) {
    assert.equal(parseRate(text), undefined, text);
  }
});

Deno.test("parseBindOption reads a port with or without an address", () => {
  assert.deepEqual(parseBindOption("4000"), { port: 4000 });
  assert.deepEqual(parseBindOption("0"), { port: 0 });
  assert.deepEqual(parseBindOption("192.0.2.7:4000"), { host: "192.0.2.7", port: 4000 });
  assert.deepEqual(parseBindOption("127.0.0.1:0"), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(parseBindOption("[2001:DB8::7]:4000"), { host: "2001:db8::7", port: 4000 });
});

Deno.test("parseBindOption refuses what has no port, a wrong one, or no address before it", () => {
  const wrong = ["", "192.0.2.7", "65536", "192.0.2.7:", "192.0.2.7:x", "2001:db8::7", ":1"];
  for (const text of [...wrong, "localhost:1", "[192.0.2.7]:1", "2001:db8::7:4000"]) {
    assert.equal(parseBindOption(text), undefined, text);
  }
});

Deno.test("parseAddressOption takes addresses and names with or without a port", () => {
  for (const text of ["203.0.113.5", "home.example:4000", "2001:db8::7", "[2001:db8::7]:4000"]) {
    assert.equal(parseAddressOption(text), text);
  }
});

Deno.test("parseAddressOption refuses text without a host or with a wrong port", () => {
  for (const text of ["", ":4000", "203.0.113.5:0", "[2001:db8::7", "host:70000", "host:"]) {
    assert.equal(parseAddressOption(text), undefined, text);
  }
});

Deno.test("parseStunOption takes names and addresses, with a port or without", () => {
  const good = [
    "stun.example.org",
    "stun.example.org:3478",
    "localhost",
    "192.0.2.1:1",
    "2001:db8::1",
    "[2001:db8::1]:3478",
    "none",
  ];
  for (const text of good) assert.equal(parseStunOption(text), text);
  const bad = [
    "",
    ":3478",
    "a:b",
    "a b",
    "-a.example",
    "a..example",
    "[a.example]:1",
    "[192.0.2.1]:1",
    "stun:a.example:3478",
    "a.example:0",
    "a.example:65536",
    `${"a".repeat(254)}`,
  ];
  for (const text of bad) assert.equal(parseStunOption(text), undefined, text);
});

Deno.test("parseCount reads whole numbers from 1 to the most", () => {
  assert.deepEqual(["1", "256", "007"].map((text) => parseCount(text, 256)), [1, 256, 7]);
  for (const text of ["0", "257", "-1", "1.5", "1e2", "", " 1", "9999999999"]) {
    assert.equal(parseCount(text, 256), undefined, text);
  }
});
