/** What the system knows of its network: interfaces and names. */
import type { LocalInterface } from "../rendezvous/local_candidates.ts";

/** This machine's interfaces; none where they may not be listed, for a question helps nobody. */
export function listInterfaces(): LocalInterface[] {
  const permission = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  return permission.state === "granted" ? Deno.networkInterfaces() : [];
}

/** The IPv4 and IPv6 addresses of a name; none when it has none or nobody knows. */
export async function resolveName(name: string): Promise<string[]> {
  const lookups = await Promise.allSettled([
    Deno.resolveDns(name, "A"),
    Deno.resolveDns(name, "AAAA"),
  ]);
  return lookups.flatMap((lookup) => lookup.status === "fulfilled" ? lookup.value : []);
}
