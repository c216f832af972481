/** The name under which a share is announced, and what comes of it when somebody else has it. */
import { encodeHex } from "../bytes/hex.ts";
import type { RandomSource } from "../crypto/provider.ts";
import { MAX_CONFLICTS } from "./limits.ts";
import { shareLabel } from "./service_names.ts";

const RANDOM_NAME_BYTES = 8;

/** 16 hexadecimal digits that nobody else has by chance. */
export function randomName(random: RandomSource): string {
  const bytes = new Uint8Array(RANDOM_NAME_BYTES);
  random.fill(bytes);
  return encodeHex(bytes);
}

/** A name that others may have, too. */
export class NameClaim {
  readonly #name: string;
  readonly #random: RandomSource;
  #label: string;
  #conflictCount = 0;
  #renameCount = 0;

  /** @param name What the person calls the share. */
  constructor(name: string, random: RandomSource) {
    this.#name = name;
    this.#random = random;
    this.#label = shareLabel(name);
  }

  /** What the share is called now. */
  get label(): string {
    return this.#label;
  }

  /**
   * Counts a conflict, and takes another name where this one is lost, or conflicts are too many
   * [LAN-3].
   *
   * @param isLost Whether the other has a right to the name.
   * @returns False when conflicts no longer count: nobody can have such a name but to annoy.
   */
  noteConflict(isLost: boolean): boolean {
    if (this.#conflictCount > MAX_CONFLICTS) return false;
    this.#conflictCount++;
    const isLast = this.#conflictCount > MAX_CONFLICTS;
    if (isLost || isLast) {
      this.#renameCount++;
      const suffix = isLast ? randomName(this.#random) : `${this.#renameCount + 1}`;
      this.#label = shareLabel(this.#name, ` (${suffix})`);
    }
    return true;
  }
}
