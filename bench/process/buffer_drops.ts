/** Datagrams that came too fast for their sockets, by the kernel's own count. */
import type { Host } from "./place.ts";

/**
 * How many UDP datagrams a host has thrown away since it started because a receive buffer was full,
 * of all processes; undefined where the system does not tell.
 */
export async function bufferDrops({ wrapper }: Host): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const [program, ...args] = [...wrapper, "cat", "/proc/net/snmp"];
  const { stdout } = await new Deno.Command(program!, { args }).output();
  const table = new TextDecoder().decode(stdout);
  const [names, values] = [...table.matchAll(/^Udp: (.*)$/gm)].map(([, line]) => line!.split(" "));
  return Number(values?.[names?.indexOf("RcvbufErrors") ?? -1]);
}
