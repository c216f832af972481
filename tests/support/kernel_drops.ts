/**
 * What the kernel has lost of a UDP socket because its buffer was full, from `/proc`. Linux only; a
 * measuring instrument that loses datagrams by itself must at least say how many.
 */

/**
 * How many datagrams the kernel has thrown away because the receive buffer of a UDP socket bound to
 * `port` was full, or undefined where it does not tell.
 */
export function kernelDrops(port: number): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  let drops: number | undefined;
  for (const file of ["/proc/net/udp", "/proc/net/udp6"]) {
    if (Deno.permissions.querySync({ name: "read", path: file }).state !== "granted") continue;
    let table: string;
    try {
      table = Deno.readTextFileSync(file);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
        continue;
      }
      throw error;
    }
    const counted = dropsInTable(table, port);
    if (counted !== undefined) drops = (drops ?? 0) + counted;
  }
  return drops;
}

/** The same from the text of `/proc/net/udp` or `udp6`; undefined without a socket on that port. */
export function dropsInTable(table: string, port: number): number | undefined {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  let drops: number | undefined;
  for (const line of table.split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(end)) drops = (drops ?? 0) + Number(columns.at(-1));
  }
  return drops;
}
