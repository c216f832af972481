/**
 * Names of DNS-SD (RFC 6763, section 4): the service, and a share's own name within it. Two names are
 * one when they differ in the case of ASCII letters only.
 */
import { MAX_LABEL_BYTES } from "./limits.ts";

/** The service that a share is. */
export const SERVICE = "_p2pft._udp.local";

/** Where all services of a network are listed (RFC 6763, section 9). */
export const SERVICE_LIST = "_services._dns-sd._udp.local";

/** The name of a share that was given none. */
const DEFAULT_LABEL = "p2pft";

/** Ends a label in the text form of a name; what stands in for it looks the same. */
const DOT = /\./g;
const DOT_LIKE = "\u2024";

const UPPER_CASE = /[A-Z]/g;

/** A name in the form in which names are compared. */
export function canonicalName(name: string): string {
  return name.replace(UPPER_CASE, (letter) => letter.toLowerCase());
}

/**
 * What a share is called in the network: the name that a person chose, as far as it fits into a label.
 *
 * @param name Any text.
 * @param suffix Set behind it, so that it differs from another; short.
 */
export function shareLabel(name: string, suffix = ""): string {
  const text = name.toWellFormed().normalize("NFC").replace(DOT, DOT_LIKE)
    .replace(/\p{Cc}+/gu, " ").trim();
  const room = MAX_LABEL_BYTES - utf8Bytes(suffix);
  let label = "";
  let bytes = 0;
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > room) break;
    label += character;
  }
  return (label.trimEnd() || DEFAULT_LABEL) + suffix;
}

/** The whole name of a share with this label. */
export function shareName(label: string): string {
  return `${label}.${SERVICE}`;
}

/** The label in the name of a share; undefined for any other name. */
export function labelOf(name: string): string | undefined {
  if (!canonicalName(name).endsWith(`.${SERVICE}`)) return undefined;
  const label = name.slice(0, -SERVICE.length - 1);
  return label === "" || utf8Bytes(label) > MAX_LABEL_BYTES ? undefined : label;
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}
