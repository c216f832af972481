/**
 * The packets of challenges and responses, which go along any path: which is next, where it goes and
 * what is in it. Which paths are challenged is decided in `paths.ts`.
 */
import { type RandomSource, TAG_BYTES } from "../../crypto/provider.ts";
import { isSamePath, type Path } from "../../nat/path.ts";
import { Frame } from "../frame.ts";
import {
  BASE_DATAGRAM_BYTES,
  HEADER_BYTES,
  MAX_PATH_RESPONSES,
  PATH_CHALLENGE_BYTES,
} from "../params.ts";
import type { PathProbe } from "./probe.ts";
import type { PathTable } from "./table.ts";
import { ProbeBudget } from "./probe_budget.ts";
import type { Instant } from "../../time.ts";

/** Bytes of a packet with one PATH_CHALLENGE or PATH_RESPONSE and nothing else. */
const SMALL_PACKET_BYTES = HEADER_BYTES + 1 + PATH_CHALLENGE_BYTES + TAG_BYTES;
const PACKET_SIZES = { small: SMALL_PACKET_BYTES, padded: BASE_DATAGRAM_BYTES };

interface Response {
  readonly path: Path;
  readonly data: Uint8Array;
  readonly bytes: number;
}

/** What waits to be sent along paths of its own. */
export class PathPackets {
  /** Whether {@linkcode PathPackets.write} may have something. */
  hasTransmit = false;
  /** Where the packet of the last {@linkcode PathPackets.write} goes. */
  transmitPath: Path;
  readonly #table: PathTable;
  readonly #random: RandomSource;
  readonly #budget: ProbeBudget;
  readonly #responses: Response[] = [];

  /** @param table Whose probes say when they are due. */
  constructor(now: Instant, table: PathTable, random: RandomSource, path: Path) {
    this.#table = table;
    this.#random = random;
    this.#budget = new ProbeBudget(now);
    this.transmitPath = path;
  }

  /** Has a challenge answered where it came from; too many at once are dropped [FRM-2]. */
  respond(path: Path, data: Uint8Array, challengeBytes: number): void {
    if (this.#responses.length >= MAX_PATH_RESPONSES) return;
    // As large as the question: that proves the size both ways, and is no amplification.
    const bytes = Math.min(challengeBytes, BASE_DATAGRAM_BYTES);
    this.#responses.push({ path, data, bytes });
    this.#table.find(path)?.handleSent(bytes);
    this.hasTransmit = true;
  }

  /** Drops responses along paths whose socket is gone. */
  keepSockets(isThere: (path: Path) => boolean): void {
    const left = this.#responses.filter(({ path }) => isThere(path));
    this.#responses.splice(0, this.#responses.length, ...left);
  }

  /**
   * Writes the frames of the next packet and sets `transmitPath`.
   *
   * @param free The path of the session, which needs no leave; undefined while it is unproved.
   * @returns The end of the frames, which begin behind the header; 0 when there is nothing to send.
   */
  write(now: Instant, out: Uint8Array, free: Path | undefined): number {
    const response = this.#responses.shift();
    if (response) {
      this.transmitPath = response.path;
      return writePadded(Frame.PATH_RESPONSE, response.data, out, response.bytes);
    }
    for (const probe of this.#table.all) {
      if (!probe.isDue) continue;
      if (!this.#mayChallenge(now, probe, free)) {
        probe.isDue = false;
        continue;
      }
      const { data, isPadded } = probe.challenge(now, this.#random, PACKET_SIZES);
      this.transmitPath = probe.path;
      const bytes = isPadded ? BASE_DATAGRAM_BYTES : SMALL_PACKET_BYTES;
      return writePadded(Frame.PATH_CHALLENGE, data, out, bytes);
    }
    this.hasTransmit = false;
    return 0;
  }

  /** [PATH-3] [PATH-4] The session's own path and proved ones are free. */
  #mayChallenge(now: Instant, probe: PathProbe, free: Path | undefined): boolean {
    if (probe.maySend(SMALL_PACKET_BYTES)) return true;
    if (free && isSamePath(probe.path, free)) return true;
    return probe.isListed && this.#budget.take(now);
  }
}

/** One frame of 8 bytes behind the header, and PADDING up to the size of the datagram. */
function writePadded(type: number, data: Uint8Array, out: Uint8Array, bytes: number): number {
  const end = Math.max(bytes, SMALL_PACKET_BYTES) - TAG_BYTES;
  out[HEADER_BYTES] = type;
  out.set(data, HEADER_BYTES + 1);
  out.fill(Frame.PADDING, HEADER_BYTES + 1 + data.length, end);
  return end;
}
