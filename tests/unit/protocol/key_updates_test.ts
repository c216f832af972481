// Goal: keys are replaced when they are worn out or old, never too soon, and always after the peer's.
// Method: a real sealer and opener on each side; packets are handed over directly.
import assert from "node:assert/strict";
import {
  AES_256_GCM,
  CHACHA20_POLY1305,
  type CipherSuite,
} from "../../../lib/crypto/cipher_suite.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../../lib/crypto/packet_opener.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import { KeyUpdates } from "../../../lib/protocol/key_updates.ts";
import { HEADER_BYTES, KEY_UPDATE_MS, LAST_PACKETS } from "../../../lib/protocol/params.ts";
import { RttEstimator } from "../../../lib/protocol/rtt.ts";
import { instant, NEVER } from "../../../lib/time.ts";
import { Timer, TimerTable } from "../../../lib/protocol/timer_table.ts";

const PACKETS = 10;

class Side {
  readonly timers = new TimerTable();
  readonly rtt = new RttEstimator();
  readonly sealer: PacketSealer;
  readonly opener: PacketOpener;
  readonly keys: KeyUpdates;
  #next = 0;

  constructor(mine: number, theirs: number, suite = CHACHA20_POLY1305, packets?: number) {
    this.sealer = new PacketSealer(nodeProvider, new Uint8Array(32).fill(mine), suite);
    this.opener = new PacketOpener(nodeProvider, new Uint8Array(32).fill(theirs), suite);
    const { sealer, opener, timers, rtt } = this;
    const options = { sealer, opener, timers, rtt };
    this.keys = new KeyUpdates(
      instant(0),
      packets === undefined ? options : { ...options, packets },
    );
  }

  /** Seals a packet and hands it to the other side. */
  send(atMs: number, to: Side): void {
    this.keys.handleSealing(instant(atMs));
    const packet = new Uint8Array(HEADER_BYTES + 1 + 16);
    this.sealer.seal(packet, 0, HEADER_BYTES + 1, this.#next++);
    assert.ok(to.opener.open(packet, 0, packet.length) >= 0);
    to.keys.handleOpened(instant(atMs));
  }

  /** The other side says that it has everything. */
  confirm(): void {
    this.sealer.handleAcknowledged(this.#next - 1);
  }
}

function pair(): { a: Side; b: Side } {
  return {
    a: new Side(1, 2, CHACHA20_POLY1305, PACKETS),
    b: new Side(2, 1, CHACHA20_POLY1305, PACKETS),
  };
}

/** A suite with the bounds of AES-256-GCM, or such bounds in small, and a cipher that is at hand. */
const boundedSuite = (maxSealedPackets: number): CipherSuite => ({
  ...CHACHA20_POLY1305,
  maxSealedPackets,
});

Deno.test("[KEY-1] KeyUpdates replaces keys that sealed enough packets, once they are confirmed", () => {
  const { a, b } = pair();
  for (let sent = 0; sent < PACKETS + 5; sent++) a.send(1000, b);
  assert.equal(a.sealer.generation, 0);
  a.confirm();
  a.send(1000, b);
  assert.equal(a.sealer.generation, 1);
});

Deno.test("[KEY-1] KeyUpdates begins no second update within six probe timeouts", () => {
  const { a, b } = pair();
  a.send(1000, b);
  a.confirm();
  a.keys.begin(instant(1000));
  a.send(1000, b);
  a.confirm();
  const restMs = 6 * a.rtt.probeTimeoutMs;
  a.keys.begin(instant(999 + restMs));
  assert.equal(a.sealer.generation, 1);
  a.keys.begin(instant(1000 + restMs));
  assert.equal(a.sealer.generation, 2);
});

Deno.test("KeyUpdates arms an hour for the next update, and less for one not allowed yet", () => {
  const { a, b } = pair();
  assert.equal(a.timers.get(Timer.KEY), KEY_UPDATE_MS);
  a.keys.begin(instant(5000));
  assert.ok(a.timers.get(Timer.KEY) < KEY_UPDATE_MS);
  a.send(6000, b);
  a.confirm();
  a.keys.begin(instant(6000));
  assert.equal(a.timers.get(Timer.KEY), 6000 + KEY_UPDATE_MS);
});

Deno.test("[KEY-2] [KEY-3] KeyUpdates follows the peer at once and keeps old keys three probe timeouts", () => {
  const { a, b } = pair();
  a.send(1000, b);
  a.confirm();
  assert.equal(b.timers.get(Timer.OLD_KEY), NEVER);
  a.keys.begin(instant(2000));
  a.send(2000, b);
  assert.equal(b.sealer.generation, 1);
  assert.equal(b.timers.get(Timer.OLD_KEY), 2000 + 3 * b.rtt.probeTimeoutMs);
  // An update that follows counts as one: none of its own within six probe timeouts.
  b.send(2000, a);
  b.confirm();
  b.keys.begin(instant(2000 + 5 * b.rtt.probeTimeoutMs));
  assert.equal(b.sealer.generation, 1);
});

Deno.test("[KEY-4] KeyUpdates replaces keys at half of what their suite allows", () => {
  const limit = 40;
  const suite = boundedSuite(limit);
  const [a, b] = [new Side(1, 2, suite), new Side(2, 1, suite)];
  for (let sent = 0; sent < limit / 2; sent++) a.send(1000, b);
  a.confirm();
  assert.equal(a.sealer.generation, 0);
  a.send(1000, b);
  assert.equal(a.sealer.generation, 1);
  assert.equal(AES_256_GCM.maxSealedPackets, 2 ** 23);
});

Deno.test("[KEY-4] KeyUpdates tells in time that keys are worn out, and PacketSealer seals no more", () => {
  const limit = LAST_PACKETS + 10;
  const suite = boundedSuite(limit);
  const [a, b] = [new Side(1, 2, suite), new Side(2, 1, suite)];
  for (let sent = 0; sent < limit; sent++) {
    assert.equal(a.keys.isWornOut, sent >= 10, `after ${sent} packets`);
    a.send(1000, b);
  }
  assert.throws(() => a.send(1000, b), RangeError);
});
