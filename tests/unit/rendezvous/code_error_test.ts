import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { decodeHex } from "../../../lib/bytes/hex.ts";
import { ERRORS, type TransferError } from "../../../lib/errors.ts";
import { codeProblemError, replyProblemError } from "../../../lib/rendezvous/code_error.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import { decodeReplyCode, encodeReplyCode } from "../../../lib/rendezvous/reply_code.ts";
import { decodeShareCode } from "../../../lib/rendezvous/share_code.ts";

const T_HEX = "000102030405060708090a0b0c0d0e0f";
const CODE = codeOf(`00 ${T_HEX} 00 cb007105 9c40`);

function codeOf(hex: string): string {
  return encodeBech32m("p2p", decodeHex(hex.replaceAll(" ", "")));
}

function errorOf(text: string): TransferError {
  const result = decodeShareCode(text, { allowLoopback: false });
  assert.equal(result.ok, false, text);
  return codeProblemError((result as Extract<typeof result, { ok: false }>).problem);
}

/** The code with the characters at these positions (from 1) replaced. */
function mistyped(changes: Record<number, string>): string {
  return [...CODE].map((character, index) => changes[index + 1] ?? character).join("");
}

Deno.test("codeProblemError says in words what is wrong with a code", () => {
  const cases: [string, string][] = [
    ["", 'a code begins with "p2p1"'],
    ["hello", 'a code begins with "p2p1"'],
    ["p2p1qq", "it has 6 characters, a code has at least 46"],
    [CODE.slice(0, 30), "it has 30 characters, a code has at least 46"],
    [CODE.slice(0, -1), "several of its 48 characters are wrong, or some are missing"],
    [mistyped({ 17: "x" }), 'character 17, "x" in "zsxpc", is wrong'],
    [mistyped({ 2: "z" }), 'character 2 is "z", but a code begins with "p2p1"'],
    [mistyped({ 17: "b" }), 'character 17, "b" in "zsbpc", never occurs in a code'],
    [codeOf(`0c ${T_HEX} 00 cb007105 9c40`), "it sets bits that must be zero"],
    [
      codeOf("01 5a5a5a5a 00 cb007105 9c40"),
      "it looks like a short code, or several of its characters are wrong",
    ],
    [codeOf(`00 ${T_HEX} 00 cb007105 9c`), "its contents end too early"],
    [codeOf(`00 ${T_HEX}`), "it holds no address"],
    [
      codeOf(`00 ${T_HEX} 00 cb007105 9c40 ${"04 cb007105".repeat(4)}`),
      "it holds more than 4 addresses",
    ],
    [
      codeOf(`00 ${T_HEX} 00 c0a80114 9c40`),
      "its addresses are not written in the shortest form",
    ],
    [codeOf(`00 ${T_HEX} 00 cb007105 0000`), "its address 203.0.113.5 has port 0"],
    [
      codeOf(`00 ${T_HEX} 00 e0000001 9c40`),
      "it holds 224.0.0.1, a multicast address",
    ],
    [
      codeOf(`00 ${T_HEX} 00 7f000001 9c40`),
      "it holds 127.0.0.1, an address of this machine itself",
    ],
    [
      codeOf(`10 ${"5a".repeat(10)} 00 cb007105 9c40`),
      "it looks like a reply code, which belongs on the sharing side",
    ],
  ];
  for (const [text, why] of cases) {
    const error = errorOf(text);
    assert.equal(error.message, `Cannot read the code: ${why}`);
    assert.equal(error.code, "bad_code");
    assert.equal(error.exit, 3);
  }
});

Deno.test("codeProblemError names both versions of a code it does not know", () => {
  const error = errorOf(codeOf(`60 ${T_HEX} 00`));
  assert.equal(error.code, "version_mismatch");
  assert.equal(error.exit, 7);
  assert.equal(
    error.message,
    "Cannot read the code: it is of version 3, this p2pft knows version 0",
  );
  assert.equal(error.hint, ERRORS.version_mismatch.hint);
});

Deno.test("codeProblemError lists a few wrong characters and counts the rest", () => {
  const error = errorOf(mistyped({ 10: "b", 20: "i", 30: "o", 40: "!", 41: "?" }));
  assert.match(
    error.message,
    /character 10, "b".*; character 20, "i".*; character 30, "o".*; 2 more like that; other/,
  );
});

Deno.test("codeProblemError gives a hint that fits", () => {
  assert.match(errorOf(mistyped({ 17: "x" })).hint, /^Compare/);
  assert.equal(errorOf("hello").hint, ERRORS.bad_code.hint);
  assert.match(errorOf(codeOf(`00 ${T_HEX} 00 7f000001 9c40`)).hint, /--allow-loopback/);
  assert.match(errorOf(codeOf(`10 ${T_HEX}`)).hint, /where the share runs/);
  assert.match(errorOf(codeOf(`00 ${T_HEX}`)).hint, /made wrong/);
});

Deno.test("codeProblemError lets nothing of what was typed reach the terminal raw", () => {
  assert.match(
    errorOf(mistyped({ 17: "\x07" })).message,
    /character 17, "<U\+0007>" in "zs<U\+0007>pc"/,
  );
  const text = fc.array(
    fc.oneof(fc.constantFrom(...CODE), fc.string({ unit: "binary", maxLength: 1 })),
    {
      maxLength: 60,
    },
  ).map((all) => "p2p1" + all.join(""));
  fc.assert(fc.property(text, (text) => {
    const result = decodeShareCode(text, { allowLoopback: false });
    if (result.ok) return;
    const { message } = codeProblemError(result.problem);
    assert.match(message, /^[\x20-\x7e]+$/);
    assert.ok(message.length < 400, message);
  }));
});

const KEYS = deriveShareKeys(nodeProvider, decodeHex(T_HEX));

function replyFor(t: string): string {
  return encodeReplyCode({
    r: decodeHex("5a".repeat(10)),
    mappingClass: "none",
    candidates: [{ kind: "host", address: { family: 4, host: "203.0.113.5", port: 4000 } }],
  }, deriveShareKeys(nodeProvider, decodeHex(t)));
}

function replyErrorOf(text: string): TransferError {
  const result = decodeReplyCode(text, KEYS, { allowLoopback: false });
  assert.equal(result.ok, false, text);
  return replyProblemError((result as Extract<typeof result, { ok: false }>).problem);
}

Deno.test("replyProblemError says in words what is wrong with a reply code, with a hint", () => {
  const reply = replyFor(T_HEX);
  const cases: [string, string, RegExp][] = [
    ["hello", 'a reply code begins with "p2p1"', /./],
    ["p2p1zq", "it has 6 characters, a reply code has at least 36", /./],
    [reply.slice(0, 30), "it has 30 characters, a reply code has at least 36", /./],
    [
      reply.slice(0, 15) + "b" + reply.slice(16),
      `character 16, "b" in "${reply.slice(13, 15)}b${
        reply.slice(16, 18)
      }", never occurs in a code`,
      /^Compare/,
    ],
    [
      replyFor("ff".repeat(16)),
      "several of its characters are wrong, or it answers the code of another share",
      /receive there again with this share's code/,
    ],
    [
      CODE,
      "it looks like a share code, which belongs on the receiving side",
      /where the files shall be received/,
    ],
  ];
  for (const [text, why, hint] of cases) {
    const error = replyErrorOf(text);
    assert.equal(error.message, `Cannot read the reply code: ${why}`);
    assert.equal(error.code, "bad_code");
    assert.match(error.hint, hint);
  }
});
