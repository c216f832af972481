import assert from "node:assert/strict";
import { askNumberOrCode, findNamed, LOOK_MS } from "../../../lib/cli/lan_choice.ts";
import { askForCode } from "../../../lib/cli/lan_code.ts";
import { Terminal } from "../../../lib/cli/terminal.ts";
import type { LanShare } from "../../../lib/local_network.ts";
import { FakeClock, FakeStreams, fakeWorld } from "./_fake_world.ts";
import { FakeLan, LAN_DENIED, lanShare } from "./_lan.ts";

const ANNA = lanShare("1", "Anna", "192.168.1.5");
const BEN = lanShare("2", "Ben", "192.168.1.6");

/** Lets everything come to rest. */
const rest = () => new Promise((resolve) => setTimeout(resolve));

/** A person at a terminal. */
function person(lan: FakeLan) {
  const streams = new FakeStreams({ terminal: true });
  const end = new AbortController();
  const world = fakeWorld({
    streams,
    localNetwork: lan,
    signal: end.signal,
    clock: new FakeClock(),
  });
  const terminal = new Terminal(streams, { outputColor: false, errorColor: false, redraw: true });
  return { streams, end, context: { ...world, terminal } };
}

Deno.test("askNumberOrCode takes a share by its number", async () => {
  const lan = new FakeLan();
  const { streams, context } = person(lan);
  const answer = askNumberOrCode(lan, context);
  await rest();
  lan.happen("found", ANNA);
  lan.happen("found", BEN);
  await rest();
  assert.deepEqual(streams.screen.lines, [
    "Shares on the local network:",
    "  1  Anna  (192.168.1.5)",
    "  2  Ben  (192.168.1.6)",
    "Number or code:",
  ]);
  streams.type("2");
  assert.equal(await answer, BEN.code);
  assert.equal(lan.lookers.size, 0);
});

Deno.test("askNumberOrCode takes a code, also while shares come and go", async () => {
  const lan = new FakeLan();
  const { streams, context } = person(lan);
  const answer = askNumberOrCode(lan, context);
  await rest();
  lan.happen("found", ANNA);
  await rest();
  streams.type(" p2p1qother ");
  assert.equal(await answer, "p2p1qother");
  assert.equal(lan.lookers.size, 0);
});

Deno.test("askNumberOrCode asks again after a number that is nobody's, or is gone", async () => {
  const lan = new FakeLan();
  const { streams, context } = person(lan);
  const answer = askNumberOrCode(lan, context);
  await rest();
  lan.happen("found", ANNA);
  lan.happen("found", BEN);
  lan.happen("gone", ANNA);
  await rest();
  for (const line of ["", "7", "1"]) {
    streams.type(line);
    await rest();
  }
  const seen = streams.screen.lines;
  assert.equal(seen[3], "  1  Anna is gone");
  assert.ok(seen.includes("There is no 7 in the list."), `${seen}`);
  assert.ok(seen.includes("Anna is gone."), `${seen}`);
  streams.type("2");
  assert.equal(await answer, BEN.code);
});

Deno.test("askNumberOrCode ends with its signal", async () => {
  const lan = new FakeLan();
  const { end, context } = person(lan);
  const answer = askNumberOrCode(lan, context);
  await rest();
  end.abort();
  assert.equal(await answer, undefined);
  assert.equal(lan.lookers.size, 0);
});

Deno.test("askForCode asks for a code alone where a permission is missing, and names it", async () => {
  const lan = new FakeLan();
  lan.problem = LAN_DENIED;
  const { streams, context } = person(lan);
  const answer = askForCode(context);
  await rest();
  assert.deepEqual(streams.screen.lines, [
    "Shares on the local network are not listed: run again with",
    "  --allow-sys=networkInterfaces.",
    "Code from the other side:",
  ]);
  streams.type("p2p1q");
  assert.equal(await answer, "p2p1q");
});

/** Looks for a name while `there` is on the network. */
async function find(name: string, there: readonly LanShare[]) {
  const lan = new FakeLan();
  lan.there.push(...there);
  const clock = new FakeClock();
  const { signal } = new AbortController();
  const told: string[] = [];
  const found = findNamed(name, lan, { clock, signal }, (shares) => {
    told.push(...shares.map(({ name }) => name));
  });
  await rest();
  clock.advance(LOOK_MS - 1);
  await rest();
  assert.equal(lan.lookers.size, 1, "it looks the whole time");
  clock.advance(1);
  const result = await found.catch((error: Error & { code: string; hint: string }) => ({
    code: error.code,
    text: `${error.message}; ${error.hint}`,
  }));
  return { result, told };
}

Deno.test("findNamed takes the one share of that name", async () => {
  const { result, told } = await find("Anna", [ANNA, BEN]);
  assert.equal(result, ANNA.code);
  assert.deepEqual(told, ["Anna", "Ben"]);
  // A full stop is written otherwise in the network.
  const dotted = lanShare("3", "a\u2024b", "192.168.1.7");
  assert.equal((await find("a.b", [dotted])).result, dotted.code);
});

Deno.test("findNamed takes none when there are two, or none, and says who is there", async () => {
  const impostor = lanShare("3", "Anna", "192.168.1.66");
  const two = await find("Anna", [ANNA, impostor]);
  assert.deepEqual(two.result, {
    code: "peer_unreachable",
    text: "Cannot tell which share is meant: Anna is announced from 192.168.1.5 and " +
      "192.168.1.66; Ask the other side for its code, and use that",
  });
  const other = await find("anna", [ANNA, BEN]);
  assert.deepEqual(other.result, {
    code: "peer_unreachable",
    text: "Cannot find a share called anna on the local network; There are: " +
      "Anna  (192.168.1.5); Ben  (192.168.1.6)",
  });
  const nobody = await find("Anna", []);
  assert.match((nobody.result as { text: string }).text, /see that it runs with --lan/);
});

Deno.test("findNamed ends with its signal", async () => {
  const lan = new FakeLan();
  lan.there.push(ANNA);
  const end = new AbortController();
  const found = findNamed("Anna", lan, { clock: new FakeClock(), signal: end.signal }, () => {
    assert.fail("nothing is told");
  });
  await rest();
  end.abort();
  assert.equal(await found, undefined);
});
