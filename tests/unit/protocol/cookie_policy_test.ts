import assert from "node:assert/strict";
import type { SocketAddress } from "../../../lib/nat/address.ts";
import { CookiePolicy } from "../../../lib/protocol/cookie_policy.ts";
import {
  COOKIE_CLIENTS_PER_SECOND,
  COOKIE_HALF_OPEN,
  COOKIE_HALF_OPEN_PER_HOST,
  MAX_REMEMBERED_NONCES,
} from "../../../lib/protocol/params.ts";
import { instant } from "../../../lib/time.ts";

const at = (host: string): SocketAddress => ({
  family: host.includes(":") ? 6 : 4,
  host,
  port: 1234,
});

/** Newcomers so far apart that their number in a second never counts. */
function begin(policy: CookiePolicy, hosts: readonly string[]): void {
  hosts.forEach((host, index) => policy.onHalfOpen(instant(index * 100), at(host)));
}

const many = (host: string, count: number): string[] => new Array<string>(count).fill(host);
const LATER = instant(1e6);

Deno.test("CookiePolicy asks nobody in quiet times", () => {
  const policy = new CookiePolicy();
  assert.equal(policy.isCookieNeeded(instant(0), at("192.0.2.1")), false);
});

Deno.test("CookiePolicy counts unfinished handshakes by IPv4 address", () => {
  const policy = new CookiePolicy();
  begin(policy, many("192.0.2.1", COOKIE_HALF_OPEN_PER_HOST - 1));
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), false);
  begin(policy, ["192.0.2.1"]);
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), true);
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.2")), false);
  policy.onHalfOpenEnd(at("192.0.2.1"));
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), false);
});

Deno.test("CookiePolicy counts unfinished handshakes by IPv6 /64, however the address is written", () => {
  const cases: [inside: string[], outside: string[]][] = [
    [["2001:db8:1:2::1", "2001:db8:1:2:a:b:c:d", "2001:db8:1:2:ffff::"], ["2001:db8:1:3::1"]],
    [["::1", "::", "::ffff:0:0:1"], ["0:0:0:1::", "1::"]],
    [["1::", "1::2", "1:0:0:0:5:6:7:8"], ["1:0:0:1::", "1:1::"]],
    [["0:0:1::", "0:0:1::5", "0:0:1:0:5:6:7:8"], ["::", "0:0:1:1::"]],
  ];
  for (const [inside, outside] of cases) {
    const policy = new CookiePolicy();
    const hosts = Array.from(
      { length: COOKIE_HALF_OPEN_PER_HOST },
      (_, index) => inside[index % inside.length]!,
    );
    begin(policy, hosts);
    for (const host of inside) assert.equal(policy.isCookieNeeded(LATER, at(host)), true, host);
    for (const host of outside) assert.equal(policy.isCookieNeeded(LATER, at(host)), false, host);
  }
});

Deno.test("CookiePolicy counts all unfinished handshakes", () => {
  const policy = new CookiePolicy();
  begin(policy, Array.from({ length: COOKIE_HALF_OPEN }, (_, index) => `10.0.0.${index}`));
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), true);
  policy.onHalfOpenEnd(at("10.0.0.5"));
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), false);
});

Deno.test("CookiePolicy counts newcomers of a second, finished or not", () => {
  const policy = new CookiePolicy();
  for (let index = 0; index < COOKIE_CLIENTS_PER_SECOND; index++) {
    assert.equal(policy.isCookieNeeded(instant(5000 + index), at("192.0.2.1")), false);
    policy.onHalfOpen(instant(5000 + index), at("192.0.2.1"));
    policy.onHalfOpenEnd(at("192.0.2.1"));
  }
  assert.equal(policy.isCookieNeeded(instant(5999), at("192.0.2.1")), true);
  assert.equal(policy.isCookieNeeded(instant(6000), at("192.0.2.1")), false);
});

Deno.test("CookiePolicy remembers nonces, and asks everyone when it can remember no more [HS-2]", () => {
  const policy = new CookiePolicy();
  const nonce = (number: number): Uint8Array => {
    const bytes = new Uint8Array(12);
    new DataView(bytes.buffer).setUint32(4, number);
    return bytes;
  };
  for (let number = 0; number < MAX_REMEMBERED_NONCES; number++) {
    policy.rememberNonce(nonce(number));
    policy.rememberNonce(nonce(number));
  }
  assert.equal(policy.isNewNonce(nonce(0)), false);
  assert.equal(policy.isNewNonce(nonce(MAX_REMEMBERED_NONCES - 1)), false);
  assert.equal(policy.isCookieNeeded(LATER, at("192.0.2.1")), true);
  policy.rememberNonce(nonce(MAX_REMEMBERED_NONCES));
  assert.equal(policy.isNewNonce(nonce(MAX_REMEMBERED_NONCES)), true, "its memory is bounded");
});
