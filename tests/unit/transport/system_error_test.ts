import assert from "node:assert/strict";
import {
  isClosedError,
  isReceiveNoise,
  isSystemError,
  systemErrorCode,
} from "../../../lib/transport/system_error.ts";

function coded(code: string): Error {
  return Object.assign(new Error("as the system says"), { code });
}

Deno.test("systemErrorCode finds the code of an error and nothing elsewhere", () => {
  assert.equal(systemErrorCode(coded("EMSGSIZE")), "EMSGSIZE");
  assert.equal(systemErrorCode(new Error("plain")), undefined);
  assert.equal(systemErrorCode({ code: "EMSGSIZE" }), undefined);
});

Deno.test("isClosedError knows the errors of a closed socket and no others", () => {
  assert.ok(isClosedError(new Deno.errors.BadResource("closed")));
  assert.ok(isClosedError(new Deno.errors.Interrupted("closed")));
  assert.ok(!isClosedError(new Deno.errors.ConnectionReset("no")));
});

Deno.test("isReceiveNoise covers what earlier sends brought back and not a broken socket", () => {
  assert.ok(isReceiveNoise(new Deno.errors.ConnectionRefused("port unreachable")));
  assert.ok(isReceiveNoise(new Deno.errors.ConnectionReset("os error 10054")));
  assert.ok(isReceiveNoise(coded("EHOSTUNREACH")));
  assert.ok(!isReceiveNoise(coded("EBADF")));
  assert.ok(!isReceiveNoise(new Deno.errors.BadResource("closed")));
});

Deno.test("isSystemError lets our own mistakes through", () => {
  assert.ok(isSystemError(coded("EPERM")));
  // Deno gives EINVAL (port 0) the class TypeError: the code decides.
  assert.ok(isSystemError(Object.assign(new TypeError("Invalid argument"), { code: "EINVAL" })));
  assert.ok(isSystemError(new Deno.errors.NotCapable("not granted")));
  assert.ok(!isSystemError(new TypeError("not a Uint8Array")));
  assert.ok(!isSystemError("text"));
});
