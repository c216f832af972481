import assert from "node:assert/strict";
import { parseSocketAddress, type SocketAddress } from "../../../../lib/nat/address.ts";
import { DiscoveryChecks } from "../../../../lib/nat/discovery/checks.ts";
import { StunClient } from "../../../../lib/nat/stun/client.ts";
import { decodeStunMessage } from "../../../../lib/nat/stun/message.ts";
import { type Instant, instant, NEVER } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";
import { answerStun, type StunServer } from "../../../support/stun_server.ts";

const at = (text: string): SocketAddress => parseSocketAddress(text)!;
const SERVER: StunServer = { primary: at("203.0.113.1:3478"), alternate: at("203.0.113.2:3479") };
const MAPPED = at("198.51.100.7:5001");
const server = SERVER.primary;
const MAIN = { socket: 0, address: at("198.51.100.7:5000"), server };
const FURTHER = [
  { socket: 1, address: MAPPED, server },
  { socket: 2, address: at("198.51.100.7:5002"), server },
];

/** What the server, or what stands for it, does with a request. */
type Answer = (request: Uint8Array) => { bytes: Uint8Array; from: SocketAddress } | undefined;

/** Runs the checks to their end. */
function checked(answer: Answer, main: typeof MAIN | undefined = undefined): DiscoveryChecks {
  const client = new StunClient({ random: new Prng(1) });
  const checks = new DiscoveryChecks(client);
  const server = { address: SERVER.primary, otherAddress: SERVER.alternate };
  checks.start(instant(0), FURTHER, server, main);
  const out = new Uint8Array(100);
  let now: Instant = instant(0);
  while (now !== NEVER) {
    client.handleTimeout(now);
    for (let length = 1; (length = client.pollTransmit(now, out)) > 0;) {
      const { socket } = client.transmitPath;
      const reply = answer(out.slice(0, length));
      if (reply) client.handleDatagram(now, reply.bytes, { socket, remote: reply.from });
    }
    for (let next = client.pollOutcome(); next; next = client.pollOutcome()) {
      checks.handleOutcome(next);
    }
    now = client.pollTimeout();
  }
  assert.equal(checks.isPending, false);
  return checks;
}

/** The server's true answer. */
function truly(request: Uint8Array, server = SERVER) {
  const { bytes, fromAddress } = answerStun(request, MAPPED, SERVER.primary, server)!;
  return { bytes, from: fromAddress };
}

Deno.test("DiscoveryChecks tells filtering by the answers that get through", () => {
  assert.equal(checked((request) => truly(request)).filtering, "endpoint_independent");
  const sameHost: Answer = (request) => {
    const reply = truly(request);
    return reply.from.host === SERVER.primary.host ? reply : undefined;
  };
  assert.equal(checked(sameHost).filtering, "address_dependent");
  assert.equal(checked(() => undefined).filtering, "address_and_port_dependent");
});

Deno.test("DiscoveryChecks concludes nothing from a server that does not do what it is asked", () => {
  const ignoring: Answer = (request) => {
    const { bytes } = truly(request);
    return { bytes, from: SERVER.primary };
  };
  assert.equal(checked(ignoring).filtering, "unknown");
  const refusing: Answer = (request) => truly(request, { primary: SERVER.primary });
  assert.equal(checked(refusing).filtering, "unknown");
  // One of the two refused, the other unanswered.
  const half: Answer = (request) =>
    decodeStunMessage(request)!.changeAddress ? undefined : refusing(request);
  assert.equal(checked(half).filtering, "unknown");
});

Deno.test("DiscoveryChecks does not hairpin where nothing comes back", () => {
  assert.equal(checked(() => undefined, MAIN).hairpin, false);
  assert.equal(checked(() => undefined).hairpin, undefined, "no NAT, no question");
});

Deno.test("DiscoveryChecks sends to no address of another scope than that of who named it", () => {
  const inside = { address: at("192.168.1.1:80") };
  for (
    const [main, further] of [
      [{ ...MAIN, ...inside }, FURTHER],
      [MAIN, [FURTHER[0]!, { ...FURTHER[1]!, ...inside }]],
      [{ ...MAIN, server: at("192.168.1.2:3478") }, FURTHER],
    ] as const
  ) {
    const client = new StunClient({ random: new Prng(1) });
    const checks = new DiscoveryChecks(client);
    checks.start(instant(0), further, { address: server, otherAddress: undefined }, main);
    assert.equal(client.pollTransmit(instant(0), new Uint8Array(100)), 0);
    assert.equal(checks.isPending, false);
    assert.equal(checks.hairpin, undefined);
  }
  // A server of the same network may name what is in it.
  const client = new StunClient({ random: new Prng(1) });
  const near = { ...inside, server: at("192.168.1.2:3478") };
  new DiscoveryChecks(client).start(
    instant(0),
    [{ socket: 1, ...near }],
    { address: near.server, otherAddress: undefined },
    { socket: 0, ...near },
  );
  assert.ok(client.pollTransmit(instant(0), new Uint8Array(100)) > 0);
});

Deno.test("DiscoveryChecks sees its own request come back, and takes no other", () => {
  const client = new StunClient({ random: new Prng(1) });
  const checks = new DiscoveryChecks(client);
  checks.start(instant(0), FURTHER, { address: SERVER.primary, otherAddress: undefined }, MAIN);
  const out = new Uint8Array(100);
  const request = out.slice(0, client.pollTransmit(instant(0), out));
  assert.deepEqual(client.transmitPath, { socket: 0, remote: FURTHER[1]!.address });
  const handle = client.handleOf(decodeStunMessage(request)!.transactionId)!;
  assert.equal(checks.handleOwnRequest(handle + 100), false);
  assert.equal(checks.handleOwnRequest(handle), true);
  assert.equal(checks.hairpin, true);
  assert.equal(checks.isPending, false);
  assert.equal(client.pollTransmit(instant(0), out), 0, "nothing more is sent");
});
