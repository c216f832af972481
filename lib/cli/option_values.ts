/**
 * The values of options that are more than a word, from text to what the library takes. Each
 * function returns undefined for text it does not understand; `arguments.ts` turns that into a
 * message.
 */

import { parseIpAddress, splitHostPort } from "../nat/address.ts";
import type { CommonOptions } from "../options.ts";
import { MIN_RATE_LIMIT_BYTES } from "../protocol/params.ts";

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** What stands for standard input or output in place of a path. */
export const STANDARD_STREAM = "-";

/** Longest `--timeout`: timers of the runtime end at 2^31−1 ms, a little under 25 days. */
export const MAX_TIMEOUT_MS: number = 24 * UNIT_MS.d;

/**
 * Reads a duration such as `30s`, `10m`, `1h` or `1h30m`: whole numbers with a unit, largest first.
 *
 * @returns Milliseconds from 1000 to {@linkcode MAX_TIMEOUT_MS}.
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,7})s)?$/.exec(text);
  if (match === null) return undefined;
  const [, days = "0", hours = "0", minutes = "0", seconds = "0"] = match;
  const durationMs = Number(days) * UNIT_MS.d + Number(hours) * UNIT_MS.h +
    Number(minutes) * UNIT_MS.m + Number(seconds) * UNIT_MS.s;
  return durationMs >= 1000 && durationMs <= MAX_TIMEOUT_MS ? durationMs : undefined;
}

/** Reads a whole number from 1 to `most`. */
export function parseCount(text: string, most: number): number | undefined {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= most ? count : undefined;
}

/** Most `--limit`: 1 TB/s, which is none. */
const MAX_RATE_BYTES = 1e12;

/** Bytes in each unit of a rate; all are decimal. */
const RATE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  "k": 1e3,
  "m": 1e6,
  "g": 1e9,
  "bit": 1 / 8,
  "kbit": 1e3 / 8,
  "mbit": 1e6 / 8,
  "gbit": 1e9 / 8,
};

/**
 * Reads a rate: bytes per second such as `500k`, `2M` or `1.5MB/s`, or bits such as `10Mbit`; units
 * are decimal, capitals do not matter.
 *
 * @returns Bytes per second, whole, from 1000 to 10^12.
 */
export function parseRate(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)(?:(bit|[kmg]bit)|([kmg]?)b?)(?:\/s)?$/i.exec(text);
  if (match === null) return undefined;
  const [, number, bits, bytes = ""] = match;
  const rate = Math.round(Number(number) * RATE_UNITS[(bits ?? bytes).toLowerCase()]!);
  return rate >= MIN_RATE_LIMIT_BYTES && rate <= MAX_RATE_BYTES ? rate : undefined;
}

/** Where to bind. */
export type BindOption = NonNullable<CommonOptions["bind"]>;

/** Reads `[ADDR:]PORT`: `4000`, `192.0.2.7:4000`, `[2001:db8::7]:4000`; port 0 is any free one. */
export function parseBindOption(text: string): BindOption | undefined {
  const alone = parsePort(text);
  if (alone !== undefined) return { port: alone };
  const colon = text.lastIndexOf(":");
  const port = parsePort(text.slice(colon + 1));
  const bracketed = /^\[(.*)\]$/.exec(text.slice(0, Math.max(0, colon)));
  const address = parseIpAddress(bracketed?.[1] ?? text.slice(0, Math.max(0, colon)));
  if (port === undefined || address === undefined) return undefined;
  // Without brackets, the port of an IPv6 address could as well be a part of it.
  return (address.family === 6) === (bracketed !== null) ? { host: address.host, port } : undefined;
}

/** Largest UDP port. */
export const MAX_PORT = 65_535;

function parsePort(text: string): number | undefined {
  if (!/^\d{1,5}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= MAX_PORT ? port : undefined;
}

/** Whether text with a port at its end, or nothing but one, has one that is too large. */
export function hasPortTooLarge(text: string): boolean {
  const port = /^(?:[^:]*:|\[.*\]:)?(\d+)$/.exec(text)?.[1];
  return port !== undefined && Number(port) > MAX_PORT;
}

/**
 * Checks the shape of an address for the code, `HOST[:PORT]`. The library looks at the host: it may
 * be a name.
 */
export function parseAddressOption(text: string): string | undefined {
  return splitHostPort(text) === undefined ? undefined : text;
}

/** What `--stun` takes in place of a server. */
export const NO_STUN = "none";

/** Labels of letters, digits and dashes (RFC 1123, section 2.1); the whole is at most 253 long. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.?$/i;

/** Checks a STUN server, `HOST[:PORT]`; {@linkcode NO_STUN} passes too. */
export function parseStunOption(text: string): string | undefined {
  const split = splitHostPort(text);
  if (split === undefined) return undefined;
  const { host, bracketed } = split;
  const family = parseIpAddress(host)?.family;
  // Brackets are for IPv6 alone.
  // A number alone is a port without its host.
  const isName = HOST_NAME.test(host) && !/^\d+$/.test(host);
  const isHost = bracketed ? family === 6 : family !== undefined || isName;
  return isHost ? text : undefined;
}
