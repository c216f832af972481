/** The values of options as commander wants them read: a parser of ours, and what would have been right. */
import { InvalidArgumentError } from "npm:commander@15.1.0";
import {
  hasPortTooLarge,
  MAX_PORT,
  NO_STUN,
  parseAddressOption,
  parseCount,
  parseDuration,
  parseRate,
  parseStunOption,
} from "../option_values.ts";

/** Reads the value of an option, or throws what commander shows. */
export type ValueParser<T> = (text: string) => T;

/** Makes commander's argument parser of one of ours, with what would have been right. */
function expecting<T>(parse: (text: string) => T | undefined, expected: string): ValueParser<T> {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`Expected ${expected}.`);
    return value;
  };
}

/** The same for what can end in a port: whoever got only that wrong wants to know it. */
export function expectingPort<T>(
  parse: (text: string) => T | undefined,
  expected: string,
): ValueParser<T> {
  const parser = expecting(parse, expected);
  return (text) => {
    if (hasPortTooLarge(text)) throw new InvalidArgumentError(`A port is at most ${MAX_PORT}.`);
    return parser(text);
  };
}

const stunParser = expectingPort(
  parseStunOption,
  `HOST, HOST:PORT or ${NO_STUN}, such as stun.example.org:3478`,
);

/** Adds a `--stun` to those before it; none at all and some cannot both be wanted. */
export function collectStun(text: string, previous: string[] = []): string[] {
  const servers = [...previous, stunParser(text)];
  if (servers.includes(NO_STUN) && new Set(servers).size > 1) {
    throw new InvalidArgumentError(`--stun ${NO_STUN} cannot stand beside a server.`);
  }
  return servers;
}

const addressParser = expectingPort(
  parseAddressOption,
  "HOST or HOST:PORT, such as 203.0.113.5:4000",
);

/** Adds an `--address` to those before it. */
export function collectAddress(text: string, previous: string[] = []): string[] {
  return [...previous, addressParser(text)];
}

/** Adds a text to those before it. */
export function collectText(text: string, previous: string[] = []): string[] {
  return [...previous, text];
}

/** Reads a rate. */
export const rateParser: ValueParser<number> = expecting(
  parseRate,
  "bytes a second from 1k to 1000G, such as 500k, 2M or 10Mbit",
);

/** Reads a duration. */
export const durationParser: ValueParser<number> = expecting(
  parseDuration,
  "a duration from 1s to 24d, such as 30s, 10m or 1h30m",
);

/** Reads a whole number from 1 on. */
export function countParser(most: number): ValueParser<number> {
  return expecting((text) => parseCount(text, most), `a whole number from 1 to ${most}`);
}

/** What `--lan` comes to; without a name its text is empty. */
export function lanArguments(
  name: string | undefined,
): { readonly lan?: { readonly name?: string } } {
  if (name === undefined) return {};
  return { lan: name.trim() === "" ? {} : { name } };
}
