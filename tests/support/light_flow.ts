/**
 * A flow without cryptography, frames and files: the real recovery, congestion control, pacer and
 * acknowledgements, with packets that are just numbers. It always has something to send. Several of
 * them over one link show within a second or two how flows share it for half a minute.
 */
import { AckScheduler } from "../../lib/protocol/ack_scheduler.ts";
import { ByteReader } from "../../lib/bytes/varint.ts";
import type { CongestionController } from "../../lib/protocol/congestion/controller.ts";
import { AckFrame } from "../../lib/protocol/frame.ts";
import { Pacer } from "../../lib/protocol/pacer.ts";
import { Recovery } from "../../lib/protocol/recovery.ts";
import { PacketFlag } from "../../lib/protocol/sent_packets.ts";
import { Timer, TimerTable } from "../../lib/protocol/timer_table.ts";
import { Link, type LinkOptions } from "./link.ts";
import type { SimWorld } from "./sim_world.ts";

const DATAGRAM_BYTES = 1472;
/** Probes of a timeout, as a connection sends them. */
const PROBES = 2;
const ACK_BYTES = 1400;
/** ACKs after which the receiver forgets what the oldest of them said: long since arrived. */
const REMEMBERED_ACKS = 64;

/** One sender and its receiver. */
export class LightFlow {
  readonly controller: CongestionController;
  readonly recovery: Recovery;
  /** Bytes that arrived. */
  receivedBytes = 0;
  readonly #world: SimWorld;
  readonly #forth: Link;
  readonly #back: Link;
  readonly #pacer: Pacer;
  readonly #timers = new TimerTable();
  readonly #acks: AckScheduler;
  readonly #reader = new ByteReader(new Uint8Array(0));
  readonly #ack = new AckFrame();
  readonly #ackTimers = new TimerTable();
  readonly #saidByAcks: number[] = [];
  #probesDue = 0;
  #isStopped = false;
  #cancel = (): void => {};
  #cancelAck = (): void => {};

  /**
   * Begins to send at once.
   *
   * @param forth The link it shares with others.
   * @param back The path of its ACKs.
   */
  constructor(
    world: SimWorld,
    forth: Link,
    back: LinkOptions,
    controller: CongestionController,
  ) {
    this.#world = world;
    this.#forth = forth;
    this.#back = new Link(back, world.prng.fork());
    this.controller = controller;
    this.recovery = new Recovery(controller, {
      handlePacketAcked: () => {},
      handlePacketLost: () => {},
    });
    const { rtt } = this.recovery;
    rtt.addSample(
      forth.options.delayMs + this.#back.options.delayMs +
        forth.queuedBytes(world.nowMs) / forth.options.rateBytesPerSecond * 1000,
      0,
    );
    this.#pacer = new Pacer(world.now, DATAGRAM_BYTES);
    this.#pacer.setRate(world.now, controller.pacingRate(rtt), DATAGRAM_BYTES);
    this.#acks = new AckScheduler(world.now, this.#ackTimers);
    this.#drain();
  }

  /** Has nothing more to send. */
  stop(): void {
    this.#isStopped = true;
  }

  #drain(): void {
    if (this.#isStopped) return;
    const now = this.#world.now;
    const { recovery } = this;
    this.#timers.clear(Timer.PACE);
    for (;;) {
      if (this.#probesDue > 0) {
        this.#probesDue--;
      } else {
        if (recovery.inFlightBytes + DATAGRAM_BYTES > this.controller.windowBytes) break;
        if (!this.#pacer.isOpen(now)) {
          this.#timers.set(Timer.PACE, this.#pacer.nextAt(now));
          break;
        }
      }
      const packetNumber = recovery.sent.next;
      recovery.onSent(now, DATAGRAM_BYTES, PacketFlag.ACK_ELICITING | PacketFlag.IN_FLIGHT);
      this.#pacer.onSent(DATAGRAM_BYTES);
      const { arrivalMs } = this.#forth.admit(now, DATAGRAM_BYTES);
      if (arrivalMs !== undefined) {
        this.#world.schedule(arrivalMs, () => this.#receive(packetNumber));
      }
    }
    this.#timers.set(Timer.LOSS, recovery.lossDeadline);
    this.#timers.set(Timer.PROBE, recovery.probeDeadline);
    this.#cancel();
    this.#cancel = this.#world.schedule(this.#timers.earliest(), () => this.#handleTimeout());
  }

  #handleTimeout(): void {
    const now = this.#world.now;
    if (this.#timers.takeExpired(Timer.LOSS, now)) this.recovery.detectLosses(now);
    if (this.#timers.takeExpired(Timer.PROBE, now)) {
      this.recovery.onProbeTimeout();
      this.#probesDue = PROBES;
    }
    this.#drain();
  }

  #receive(packetNumber: number): void {
    this.receivedBytes += DATAGRAM_BYTES;
    this.#acks.handlePacket(
      this.#world.now,
      packetNumber,
      true,
      this.recovery.rtt.smoothedMs,
    );
    if (this.#acks.isDue) return this.#acknowledge();
    this.#cancelAck();
    this.#cancelAck = this.#world.schedule(this.#ackTimers.earliest(), () => {
      this.#acks.demand();
      this.#acknowledge();
    });
  }

  #acknowledge(): void {
    this.#cancelAck();
    const out = new Uint8Array(ACK_BYTES);
    const end = this.#acks.write(this.#world.now, out, 0, out.length);
    const largest = this.#acks.largest;
    const { arrivalMs } = this.#back.admit(this.#world.now, end);
    if (arrivalMs === undefined) return;
    this.#world.schedule(arrivalMs, () => this.#takeAck(out, end, largest));
  }

  #takeAck(bytes: Uint8Array, end: number, largest: number): void {
    const now = this.#world.now;
    this.#reader.reset(bytes, 1, end);
    this.#ack.read(this.#reader);
    this.recovery.onAck(now, this.#ack, true);
    this.#saidByAcks.push(largest);
    if (this.#saidByAcks.length > REMEMBERED_ACKS) this.#acks.forgetUpTo(this.#saidByAcks.shift()!);
    this.#pacer.setRate(now, this.controller.pacingRate(this.recovery.rtt), DATAGRAM_BYTES);
    this.#drain();
  }
}
