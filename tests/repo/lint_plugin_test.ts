/**
 * Goal: the rule for pure folders finds each way to the world, and nothing in honest code.
 * Method: small sources run through the linter with the plugin alone.
 */
import assert from "node:assert/strict";
import plugin, { isPureFile } from "./lint_plugin.ts";

function messages(source: string, file = "lib/protocol/pacer.ts"): string[] {
  return Deno.lint.runPlugin(plugin, file, source).map(({ message }) => message);
}

const CAUGHT: [string, string][] = [
  ["const text = Deno.readTextFileSync('x');", "Deno"],
  ["const now = Date.now();", "Date"],
  ["const now = new Date();", "Date"],
  ["export function f(at: Date): void {}", "Date"],
  ["const now = performance.now();", "performance"],
  ["setTimeout(() => {}, 5);", "setTimeout"],
  ["setInterval(() => {}, 5);", "setInterval"],
  ["queueMicrotask(() => {});", "queueMicrotask"],
  ["const roll = Math.random();", "Math.random"],
  ["const roll = Math['random']();", "Math.random"],
  ["const later = [setTimeout];", "setTimeout"],
  ["crypto.getRandomValues(new Uint8Array(4));", "crypto"],
  ["const id = crypto.randomUUID();", "crypto"],
  ["await fetch('https://example.org');", "fetch"],
  ["console.log('here');", "console"],
  ["const clock = globalThis.Date;", "globalThis"],
  ["const table = { now: performance };", "performance"],
  ["const x = y[Date];", "Date"],
  ["process.exit(1);", "process"],
];

for (const [source, name] of CAUGHT) {
  Deno.test(`lint plugin reports ${name} in: ${source}`, () => {
    assert.deepEqual(messages(source), [`${name} in a pure folder`]);
  });
}

const FINE: string[] = [
  "export const half = Math.floor(5 / 2);",
  "export function f(now: number): number { return now; }",
  "interface Clock { setTimeout(at: number): void; readonly performance: number }",
  "export const table = { Date: 1, console: 2 };",
  "export function f(x: { crypto: number }): number { return x.crypto; }",
  "class Timers { fetch(): void {} crypto = 1; }",
  'import { crypto } from "./provider.ts"; crypto.seal();',
  "const performance = 5; export const twice = performance * 2;",
  "export function f(window: number): number { return window + 1; }",
  "export const f = ({ window, process = 1 }: Options): number => window + process;",
  "export class A { m(self: number, ...process: number[]): number { return self + process[0]; } }",
  "type F = (performance: number) => void;",
  "interface A { m(crypto: CryptoProvider): void }",
  "const decoder = new TextDecoder();",
];

for (const source of FINE) {
  Deno.test(`lint plugin has nothing against: ${source}`, () => {
    assert.deepEqual(messages(source), []);
  });
}

Deno.test("lint plugin looks at the pure folders only, on every system", () => {
  assert.ok(isPureFile("/home/someone/p2pft/lib/crypto/noise.ts"));
  assert.ok(isPureFile("C:\\p2pft\\lib\\nat\\stun.ts"));
  assert.ok(isPureFile("lib/bytes/hex.ts"));
  assert.ok(!isPureFile("/home/someone/p2pft/lib/transport/clock.ts"));
  assert.ok(!isPureFile("/home/someone/p2pft/tests/unit/crypto/noise_test.ts"));
  assert.deepEqual(messages("Date.now();", "lib/transport/clock.ts"), []);
});
