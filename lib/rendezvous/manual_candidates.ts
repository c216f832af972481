/**
 * Candidates that a person names (`--address HOST[:PORT]`): the outside of a manual forward, an
 * address this machine does not know it has, a name that resolves to one.
 */
import { TransferError } from "../errors.ts";
import {
  type IpAddress,
  parseIpAddress,
  type SocketAddress,
  splitHostPort,
} from "../nat/address.ts";
import { type Candidate, forbiddenScope, MAX_CANDIDATES } from "../nat/candidate.ts";

/** What {@linkcode readManualCandidates} needs besides the texts. */
export interface ManualCandidateOptions {
  /** What the sockets are bound to, at most one of each family: gives the port that was left out. */
  readonly bound: readonly SocketAddress[];
  /** Takes loopback addresses. */
  readonly allowLoopback: boolean;
  /** Looks up the IPv4 and IPv6 addresses of a name; may reject. Without it names are refused. */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

/** Host names as DNS has them. One that ends in a number is a mistyped address (`10.0.0.300`). */
const NAME = /^(?=.{1,253}$)(?:[a-z0-9_-]{1,63}\.)*(?![0-9]+\.?$)[a-z0-9_-]{1,63}\.?$/i;

const HINT =
  "Give it as ADDRESS or ADDRESS:PORT, for example 203.0.113.5:4000 or [2001:db8::5]:4000";

/**
 * Reads addresses as a person gives them: `HOST` or `HOST:PORT`, where HOST is an IPv4 address, an
 * IPv6 address (in brackets when a port follows) or a name. Of a name the first IPv4 address is
 * taken, or the first IPv6 address, of those families that there is a socket for.
 *
 * @param texts At most {@linkcode MAX_CANDIDATES}.
 * @returns One candidate for each text, in the same order.
 * @throws {TransferError} `usage` when a text is no address, a name has none, or nobody can be
 * reached there.
 */
export async function readManualCandidates(
  texts: readonly string[],
  options: ManualCandidateOptions,
): Promise<Candidate[]> {
  if (texts.length > MAX_CANDIDATES) {
    throw new TransferError(
      "usage",
      `Cannot use ${texts.length} addresses: a code holds at most ${MAX_CANDIDATES}`,
    );
  }
  const candidates: Candidate[] = [];
  for (const text of texts) {
    candidates.push({ kind: "manual", address: await readAddress(text, options) });
  }
  return candidates;
}

async function readAddress(text: string, options: ManualCandidateOptions): Promise<SocketAddress> {
  const split = splitHostPort(text);
  const literal = split && parseIpAddress(split.host);
  const isName = split !== undefined && !split.bracketed && NAME.test(split.host);
  if (split === undefined || (literal === undefined && !isName)) {
    throw unusable(text, "it is neither an address nor a name");
  }
  if (split.bracketed && literal?.family === 4 && !split.host.includes(":")) {
    throw unusable(text, "brackets are for IPv6 addresses only");
  }
  const ip = literal ?? await resolveName(text, split.host, options);
  const port = split.port ?? options.bound.find(({ family }) => family === ip.family)?.port;
  if (port === undefined) throw unusable(text, `no IPv${ip.family} socket is open here`);
  const scope = forbiddenScope(ip, options.allowLoopback);
  if (scope !== undefined) {
    throw unusable(
      text,
      `nobody can be reached at ${ip.host} (${scope})`,
      scope === "loopback" ? { hint: "Loopback addresses need --allow-loopback" } : {},
    );
  }
  return { family: ip.family, host: ip.host, port };
}

async function resolveName(
  text: string,
  name: string,
  options: ManualCandidateOptions,
): Promise<IpAddress> {
  if (options.resolve === undefined) throw unusable(text, "names cannot be looked up here");
  let found: readonly string[];
  try {
    found = await options.resolve(name);
  } catch (cause) {
    throw unusable(text, "the name could not be looked up", { cause });
  }
  const usable = found.map(parseIpAddress)
    .filter((ip) => ip !== undefined && options.bound.some(({ family }) => family === ip.family));
  const ip = usable.find((ip) => ip?.family === 4) ?? usable[0];
  if (ip === undefined) throw unusable(text, "the name has no address that can be used here");
  return ip;
}

function unusable(
  text: string,
  why: string,
  options: { readonly hint?: string; readonly cause?: unknown } = {},
): TransferError {
  return new TransferError("usage", `Cannot use the address ${text}: ${why}`, {
    hint: HINT,
    ...options,
  });
}
