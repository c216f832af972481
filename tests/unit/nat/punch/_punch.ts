/** What the tests of hole punching share: codes' keys, candidates, and one machine with its clock. */
import { nodeProvider } from "../../../../lib/crypto/node_provider.ts";
import { ProbeCodec } from "../../../../lib/crypto/probe.ts";
import type { SocketAddress } from "../../../../lib/nat/address.ts";
import type { Candidate, CandidateKind } from "../../../../lib/nat/candidate.ts";
import type { MappingClass } from "../../../../lib/nat/mapping_class.ts";
import type { Path } from "../../../../lib/nat/path.ts";
import { Punch, type PunchEvent, type PunchOptions } from "../../../../lib/nat/punch/punch.ts";
import { instant } from "../../../../lib/time.ts";
import { Prng } from "../../../support/prng.ts";

export const SHARER_HOST = "198.51.100.1";
export const CLIENT_HOST = "203.0.113.9";

/** A codec of the one pair of codes that both sides hold. */
export function pairCodec(seed: number, pair = 1): ProbeCodec {
  const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  return new ProbeCodec(nodeProvider, key(7), key(pair), new Prng(seed));
}

export function ipv4(host: string, port: number): SocketAddress {
  return { family: 4, host, port };
}

export function candidate(kind: CandidateKind, host: string, port: number): Candidate {
  return { kind, address: { family: host.includes(":") ? 6 : 4, host, port } };
}

/** A probe that a machine sent. */
export interface SentProbe {
  readonly atMs: number;
  readonly path: Path;
  readonly hops: number | undefined;
  readonly datagram: Uint8Array;
}

/** The options that a test does not care about. */
export function punchOptions(
  role: "sharer" | "client",
  local: MappingClass,
  remote: MappingClass,
  more: Partial<PunchOptions> & { readonly candidates?: readonly Candidate[] } = {},
): PunchOptions {
  const { candidates, ...rest } = more;
  return {
    role,
    codec: pairCodec(role === "sharer" ? 1 : 2),
    random: new Prng(role === "sharer" ? 3 : 4),
    sockets: [{ index: 0, family: 4 }, { index: 1, family: 6 }],
    local: { mapping: local },
    remote: {
      mapping: remote,
      candidates: candidates ??
        [candidate("reflexive", role === "sharer" ? CLIENT_HOST : SHARER_HOST, 40_000)],
    },
    lowHops: 2,
    ...rest,
  };
}

/** A machine whose owner does as the contract says, in virtual time. */
export class DrivenMachine {
  readonly machine: Punch;
  readonly sent: SentProbe[] = [];
  readonly events: PunchEvent[] = [];
  nowMs = 0;
  readonly #out = new Uint8Array(1472);
  readonly #opensSockets: boolean;

  constructor(options: PunchOptions, opensSockets = true) {
    this.#opensSockets = opensSockets;
    this.machine = new Punch(instant(0), options);
    this.#settle();
  }

  /** Lets time pass; `timerMs` is how late every timer fires. */
  run(untilMs: number, timerMs = 0): void {
    for (;;) {
      const atMs = Math.max(this.machine.pollTimeout(), this.nowMs) + timerMs;
      if (atMs > untilMs) break;
      this.nowMs = atMs;
      this.machine.handleTimeout(instant(atMs));
      this.#settle();
    }
    this.nowMs = untilMs;
  }

  /** Hands in a datagram now. */
  receive(datagram: Uint8Array, path: Path): boolean {
    const isTaken = this.machine.handleDatagram(instant(this.nowMs), datagram, path);
    this.#settle();
    return isTaken;
  }

  /** What was sent since the last call. */
  takeSent(): SentProbe[] {
    return this.sent.splice(0);
  }

  #settle(): void {
    const { machine } = this;
    const now = instant(this.nowMs);
    for (;;) {
      for (;;) {
        const length = machine.pollTransmit(now, this.#out);
        if (length === 0) break;
        this.sent.push({
          atMs: this.nowMs,
          path: machine.transmitPath,
          hops: machine.transmitHops,
          datagram: this.#out.slice(0, length),
        });
      }
      const event = machine.pollEvent();
      if (event === undefined) return;
      this.events.push(event);
      if (event.type === "sockets-wanted" && this.#opensSockets) {
        const { count, family } = event;
        machine.addSockets(
          now,
          Array.from({ length: count }, (_, index) => ({ index: 100 + index, family })),
        );
      }
    }
  }
}

/** The most of `sent` that lie within any stretch of time, both ends included but the last ms. */
export function mostWithin(sent: readonly SentProbe[], windowMs: number): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < sent.length; last++) {
    while (sent[last]!.atMs - sent[first]!.atMs >= windowMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
