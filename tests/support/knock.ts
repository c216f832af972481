/**
 * A stand-in for the handshake, where only its way matters: the client knocks on every path as
 * `HandshakeClient` does, the sharer answers where a knock came from. An answer proves that
 * datagrams with all their hops pass both ways.
 */
import type { DatagramMachine } from "../../lib/nat/datagram_machine.ts";
import { isSamePath, type Path } from "../../lib/nat/path.ts";
import { HELLO_REPEAT_MS, HELLO_REPEATS_MS } from "../../lib/protocol/params.ts";
import { after, earlier, type Instant, NEVER } from "../../lib/time.ts";

const KNOCK = 0x4b;
const ANSWER = 0x41;
// Shorter than a probe and no STUN message: no other machine takes one.
const BYTES = 8;

interface Door {
  readonly path: Path;
  readonly startedAt: Instant;
  knocks: number;
  nextAt: Instant;
}

/** Knocks until somebody answers. */
export class KnockClient implements DatagramMachine {
  transmitPath!: Path;
  /** Where the first answer came from. */
  answeredOn: Path | undefined;
  readonly #doors: Door[] = [];

  /** Knocks on one more path, or on one of them anew, at once. */
  addPath(now: Instant, path: Path): void {
    const known = this.#doors.findIndex((door) => isSamePath(door.path, path));
    if (known >= 0) this.#doors.splice(known, 1);
    this.#doors.push({ path, startedAt: now, knocks: 0, nextAt: now });
  }

  handleDatagram(_now: Instant, datagram: Uint8Array, path: Path): boolean {
    if (datagram.length !== BYTES || datagram[0] !== ANSWER) return false;
    this.answeredOn ??= path;
    return true;
  }

  handleTimeout(): void {}

  pollTimeout(): Instant {
    if (this.answeredOn !== undefined) return NEVER;
    return this.#doors.reduce((deadline, { nextAt }) => earlier(deadline, nextAt), NEVER);
  }

  pollTransmit(now: Instant, out: Uint8Array): number {
    if (this.answeredOn !== undefined) return 0;
    const door = this.#doors.find(({ nextAt }) => nextAt <= now);
    if (door === undefined) return 0;
    const last = HELLO_REPEATS_MS.length - 1;
    door.knocks++;
    const offsetMs = HELLO_REPEATS_MS[door.knocks] ??
      HELLO_REPEATS_MS[last]! + (door.knocks - last) * HELLO_REPEAT_MS;
    door.nextAt = after(door.startedAt, offsetMs);
    this.transmitPath = door.path;
    return writeMessage(KNOCK, out);
  }
}

/** Answers every knock. */
export class KnockSharer implements DatagramMachine {
  transmitPath!: Path;
  readonly #waiting: Path[] = [];

  handleDatagram(_now: Instant, datagram: Uint8Array, path: Path): boolean {
    if (datagram.length !== BYTES || datagram[0] !== KNOCK) return false;
    this.#waiting.push(path);
    return true;
  }

  handleTimeout(): void {}

  pollTimeout(): Instant {
    return NEVER;
  }

  pollTransmit(_now: Instant, out: Uint8Array): number {
    const path = this.#waiting.shift();
    if (path === undefined) return 0;
    this.transmitPath = path;
    return writeMessage(ANSWER, out);
  }
}

function writeMessage(type: number, out: Uint8Array): number {
  out.fill(0, 0, BYTES);
  out[0] = type;
  return BYTES;
}
