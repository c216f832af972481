/**
 * The handshake patterns of Noise as data: the three one-way and twelve fundamental interactive
 * ones, and the modifiers psk0 to psk3 that put a pre-shared key into them. The machine that walks
 * them is `noise.ts`.
 *
 * @see {@link https://noiseprotocol.org/noise.html#handshake-patterns | Noise rev 34, sections 7 and 9}
 */

/**
 * One step of a message. `e`, `s`: a public key is sent. `ee`, `es`, `se`, `ss`: a Diffie-Hellman
 * result is mixed in, the initiator's key named first. `psk`: the next pre-shared key is mixed in.
 */
export type NoiseToken = "e" | "s" | "ee" | "es" | "se" | "ss" | "psk";

/** A handshake pattern, modifiers applied. */
export interface NoisePattern {
  /** E.g. `XXpsk0`. */
  readonly name: string;
  /** The responder must know the initiator's static key beforehand. */
  readonly initiatorStaticKnown: boolean;
  /** The initiator must know the responder's static key beforehand. */
  readonly responderStaticKnown: boolean;
  /** Tokens of each message; the initiator sends the first, then they take turns. */
  readonly messages: readonly (readonly NoiseToken[])[];
  /** How many pre-shared keys are needed. */
  readonly pskCount: number;
}

/**
 * Name, then who must be known beforehand (`i` the initiator's static key, `r` the responder's),
 * then the messages.
 */
const BASE_PATTERNS: readonly (readonly [string, string, ...string[]])[] = [
  ["N", "r", "e es"],
  ["K", "ir", "e es ss"],
  ["X", "r", "e es s ss"],
  ["NN", "", "e", "e ee"],
  ["NK", "r", "e es", "e ee"],
  ["NX", "", "e", "e ee s es"],
  ["XN", "", "e", "e ee", "s se"],
  ["XK", "r", "e es", "e ee", "s se"],
  ["XX", "", "e", "e ee s es", "s se"],
  ["KN", "i", "e", "e ee se"],
  ["KK", "ir", "e es ss", "e ee se"],
  ["KX", "i", "e", "e ee se s es"],
  ["IN", "", "e s", "e ee se"],
  ["IK", "r", "e es s ss", "e ee se"],
  ["IX", "", "e s", "e ee se s es"],
];

/** Names of the patterns without modifiers. */
export const NOISE_BASE_PATTERNS: readonly string[] = BASE_PATTERNS.map(([name]) => name);

/**
 * The pattern of a name such as `XX`, `XXpsk0` or `NNpsk0+psk2`. `psk0` mixes a pre-shared key in at
 * the very beginning, `psk1` to `psk3` at the end of that message.
 *
 * @throws {RangeError} If there is no such pattern, or it has no such message.
 */
export function noisePattern(name: string): NoisePattern {
  const base = /^[A-Z]+/.exec(name)?.[0] ?? "";
  const row = BASE_PATTERNS.find(([baseName]) => baseName === base);
  if (row === undefined) throw new RangeError(`Cannot use Noise pattern ${name}: it is not known`);
  const [, known, ...texts] = row;
  const messages = texts.map((text) => text.split(" ") as NoiseToken[]);
  const modifiers = name === base ? [] : name.slice(base.length).split("+");
  for (const modifier of modifiers) {
    const position = /^psk([0-3])$/.exec(modifier)?.[1];
    const message = messages[Math.max(0, Number(position) - 1)];
    if (position === undefined || message === undefined) {
      throw new RangeError(`Cannot use Noise pattern ${name}: it cannot have ${modifier || "+"}`);
    }
    if (position === "0") message.unshift("psk");
    else message.push("psk");
  }
  return {
    name,
    initiatorStaticKnown: known.includes("i"),
    responderStaticKnown: known.includes("r"),
    messages,
    pskCount: modifiers.length,
  };
}
