import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { formatSocketAddress } from "../../../lib/nat/address.ts";
import {
  type ManualCandidateOptions,
  readManualCandidates,
} from "../../../lib/rendezvous/manual_candidates.ts";

const BOUND = [
  { family: 4, host: "0.0.0.0", port: 4000 },
  { family: 6, host: "::", port: 4006 },
] as const;

const NAMES: Record<string, readonly string[]> = {
  "both.example": ["2001:db8::1", "203.0.113.7", "203.0.113.8"],
  "six.example": ["2001:db8::1", "2001:db8::2"],
  "none.example": [],
  "local.example": ["127.0.0.1"],
  "odd.example": ["not an address"],
};

function resolve(name: string): Promise<readonly string[]> {
  const found = NAMES[name];
  return found === undefined ? Promise.reject(new Error("no such host")) : Promise.resolve(found);
}

async function read(text: string, options: Partial<ManualCandidateOptions> = {}): Promise<string> {
  const all = { bound: BOUND, allowLoopback: false, resolve, ...options };
  const [candidate] = await readManualCandidates([text], all);
  assert.equal(candidate?.kind, "manual");
  return formatSocketAddress(candidate.address);
}

async function usageError(
  text: string,
  options: Partial<ManualCandidateOptions> = {},
): Promise<TransferError> {
  try {
    await read(text, options);
  } catch (error) {
    assert.ok(error instanceof TransferError);
    assert.equal(error.code, "usage");
    return error;
  }
  assert.fail(`${text} was taken`);
}

Deno.test("readManualCandidates takes addresses, and the socket's port where none is given", async () => {
  assert.equal(await read("203.0.113.5"), "203.0.113.5:4000");
  assert.equal(await read("203.0.113.5:99"), "203.0.113.5:99");
  assert.equal(await read("2001:DB8::5"), "[2001:db8::5]:4006");
  assert.equal(await read("[2001:db8::5]"), "[2001:db8::5]:4006");
  assert.equal(await read("[2001:db8::5]:99"), "[2001:db8::5]:99");
  assert.equal(await read("::ffff:203.0.113.5"), "203.0.113.5:4000");
});

Deno.test("readManualCandidates looks names up, IPv4 first, of families that have a socket", async () => {
  assert.equal(await read("both.example"), "203.0.113.7:4000");
  assert.equal(await read("both.example:99"), "203.0.113.7:99");
  assert.equal(await read("both.example", { bound: [BOUND[1]] }), "[2001:db8::1]:4006");
  assert.equal(await read("six.example"), "[2001:db8::1]:4006");
  await usageError("six.example", { bound: [BOUND[0]] });
});

Deno.test("readManualCandidates keeps the order of several", async () => {
  const texts = ["203.0.113.5:1", "six.example:2", "10.0.0.1:3"];
  const candidates = await readManualCandidates(texts, {
    bound: BOUND,
    allowLoopback: false,
    resolve,
  });
  assert.deepEqual(candidates.map(({ address }) => address.port), [1, 2, 3]);
});

Deno.test("readManualCandidates says why an address cannot be used", async () => {
  const cases: [string, RegExp][] = [
    ["", /neither an address nor a name/],
    ["10.0.0.300", /neither an address nor a name/],
    ["10.0.0", /neither an address nor a name/],
    ["a b", /neither an address nor a name/],
    ["host..example", /neither an address nor a name/],
    ["10.0.0.1:0", /neither an address nor a name/],
    ["10.0.0.1:70000", /neither an address nor a name/],
    ["[both.example]:5", /neither an address nor a name/],
    ["[10.0.0.1]:5", /brackets/],
    ["0.0.0.0:5", /0\.0\.0\.0 \(unspecified\)/],
    ["[ff02::1]:5", /ff02::1 \(multicast\)/],
    ["255.255.255.255:5", /\(broadcast\)/],
    ["127.0.0.1:5", /\(loopback\)/],
    ["local.example", /127\.0\.0\.1 \(loopback\)/],
    ["none.example", /no address that can be used/],
    ["odd.example", /no address that can be used/],
    ["unknown.example", /could not be looked up/],
  ];
  for (const [text, why] of cases) {
    const error = await usageError(text);
    assert.match(error.message, why);
    assert.ok(error.message.startsWith(`Cannot use the address ${text}: `), error.message);
  }
  assert.match((await usageError("127.0.0.1:5")).hint, /--allow-loopback/);
  assert.match((await usageError("nonsense:x")).hint, /ADDRESS:PORT/);
  assert.ok((await usageError("unknown.example")).cause instanceof Error);
});

Deno.test("readManualCandidates takes loopback when allowed", async () => {
  assert.equal(await read("127.0.0.1", { allowLoopback: true }), "127.0.0.1:4000");
  assert.equal(await read("[::1]:7", { allowLoopback: true }), "[::1]:7");
});

Deno.test("readManualCandidates needs a socket of the family when no port is given", async () => {
  const error = await usageError("2001:db8::1", { bound: [BOUND[0]] });
  assert.match(error.message, /no IPv6 socket is open here/);
  assert.equal(await read("[2001:db8::1]:5", { bound: [BOUND[0]] }), "[2001:db8::1]:5");
});

Deno.test("readManualCandidates refuses names without a resolver", async () => {
  const { resolve: _, ...options } = { bound: BOUND, allowLoopback: false, resolve };
  await assert.rejects(readManualCandidates(["both.example"], options), /cannot be looked up here/);
});

Deno.test("readManualCandidates takes at most four", async () => {
  const texts = Array.from({ length: 5 }, (_, index) => `203.0.113.5:${index + 1}`);
  const options = { bound: BOUND, allowLoopback: false };
  await assert.rejects(readManualCandidates(texts, options), /at most 4/);
  assert.equal((await readManualCandidates(texts.slice(1), options)).length, 4);
});
