/** What the system knows of its network: interfaces and names. */
import type { LocalInterface } from "../rendezvous/local_candidates.ts";
import { after } from "../time.ts";
import { type Clock, systemClock } from "../transport/clock.ts";
import type { ResolveName } from "./stun_servers.ts";

/** How long a name is looked up, ms; the system itself would take 15 s and more for a dead server. */
const LOOKUP_LIMIT_MS = 2500;

/** Asks for the records of a name as `Deno.resolveDns` does; rejects when there are none. */
export type LookUp = (
  name: string,
  type: "A" | "AAAA",
  options: { readonly signal: AbortSignal },
) => Promise<string[]>;

/** This machine's interfaces; none where they may not be listed, for a question helps nobody. */
export function listInterfaces(): LocalInterface[] {
  const permission = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  return permission.state === "granted" ? Deno.networkInterfaces() : [];
}

/**
 * Makes what finds the IPv4 and IPv6 addresses of a name: none when it has none or nobody knows. After
 * 2.5 s, or when its signal is aborted, it makes do with what has come; it never rejects.
 */
export function nameResolver(clock: Clock, lookUp: LookUp): ResolveName {
  return async (name, signal) => {
    const limit = new AbortController();
    const cancel = clock.setTimer(after(clock.now(), LOOKUP_LIMIT_MS), () => limit.abort());
    const end = signal === undefined ? limit.signal : AbortSignal.any([limit.signal, signal]);
    try {
      const lookups = await Promise.allSettled([
        lookUp(name, "A", { signal: end }),
        lookUp(name, "AAAA", { signal: end }),
      ]);
      return lookups.flatMap((lookup) => lookup.status === "fulfilled" ? lookup.value : []);
    } finally {
      cancel();
    }
  };
}

/** Asks the system's name servers, as {@linkcode nameResolver} says. */
export const resolveName: ResolveName = nameResolver(systemClock, Deno.resolveDns);
