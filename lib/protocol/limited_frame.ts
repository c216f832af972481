/**
 * LIMITED frames: one side tells the other what limits the transfer as far as it can see, for people
 * to read. Nothing else depends on it (docs/protocol.md, "Frames").
 *
 * ```
 * type 0x0d · reason v · value v
 * ```
 */
import { type ByteReader, writeVarint } from "../bytes/varint.ts";
import { Frame } from "./frame.ts";

/** Bytes of the longest LIMITED frame. */
export const MAX_LIMITED_FRAME_BYTES: number = 1 + 1 + 8;

/**
 * What limits: nothing worth a word; lost packets; a limit of the side that tells; the limit it was
 * asked for by the other side; room at the other side; its own disk; its own processor.
 */
export type LimitationReason =
  | "none"
  | "loss"
  | "limit"
  | "wish"
  | "credit"
  | "disk"
  | "processor";

/** Reasons by their number on the wire. */
const REASONS: readonly LimitationReason[] = [
  "none",
  "loss",
  "limit",
  "wish",
  "credit",
  "disk",
  "processor",
];

/** What one side says. */
export interface Limitation {
  /** What limits. */
  readonly reason: LimitationReason;
  /** `loss`: lost packets of a million; `limit`, `wish`: bytes per second; else 0. */
  readonly value: number;
}

/** What was told and heard on one connection; lost frames are told again as it is then. */
export class LimitedNews {
  /** Whether a frame is to be written. */
  isDue = false;
  /** What the peer said last. */
  heard: Limitation = { reason: "none", value: 0 };
  #told: Limitation = this.heard;
  /** Number of the packet with the newest frame. */
  #heardIn = -1;

  /** Sets what is to be told; whether that is news. */
  tell(limitation: Limitation): boolean {
    const { reason, value } = this.#told;
    if (limitation.reason === reason && limitation.value === value) return false;
    this.#told = limitation;
    this.isDue = true;
    return true;
  }

  /** The packet with a frame was lost. */
  handleLost(): void {
    this.isDue = true;
  }

  /** Writes a frame of at most {@linkcode MAX_LIMITED_FRAME_BYTES}; the index just past it. */
  write(out: Uint8Array, offset: number): number {
    this.isDue = false;
    const { reason, value } = this.#told;
    out[offset] = Frame.LIMITED;
    out[offset + 1] = REASONS.indexOf(reason);
    return writeVarint(value, out, offset + 2);
  }

  /** Reads the body. Late frames change nothing; reasons of later versions are none [LIM-1]. */
  read(reader: ByteReader, packetNumber: number): void {
    const reason = REASONS[reader.varint()] ?? "none";
    const value = reader.varint();
    if (!reader.ok || packetNumber < this.#heardIn) return;
    this.#heardIn = packetNumber;
    this.heard = { reason, value };
  }
}
