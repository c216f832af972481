/**
 * The kernel's receive buffer of a UDP socket, which Deno has no way to set: enlarged through
 * `setsockopt` where FFI is granted, and its losses read from `/proc`. Linux only; a measuring
 * instrument must not lose datagrams by itself, or must at least say how many.
 */

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SOCK_DGRAM = 2;
const AF_INET = 2;
const AF_INET6 = 10;

/** File descriptors are small numbers; beyond this nobody looks. */
const MAX_DESCRIPTOR = 1024;

/**
 * Enlarges the receive buffer of this process's UDP socket bound to `port`.
 *
 * @returns What the buffer holds now (the kernel counts its bookkeeping too), or undefined where it
 * cannot be known.
 */
export function enlargeReceiveBuffer(port: number, bytes: number): number | undefined {
  if (Deno.build.os !== "linux") return undefined;
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
  let library;
  try {
    library = Deno.dlopen("libc.so.6", {
      getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
      getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
      setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
    });
  } catch {
    // A system without that library under that name (musl): the default buffer will do.
    return undefined;
  }
  const { getsockname, getsockopt, setsockopt } = library.symbols;
  const value = new Int32Array(1);
  const length = new Uint32Array(1);
  const option = (descriptor: number, name: number): number | undefined => {
    length[0] = 4;
    return getsockopt(descriptor, SOL_SOCKET, name, value, length) === 0 ? value[0] : undefined;
  };
  const address = new Uint8Array(128);
  const view = new DataView(address.buffer);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  try {
    for (let descriptor = 0; descriptor < MAX_DESCRIPTOR; descriptor++) {
      length[0] = address.length;
      if (getsockname(descriptor, address, length) !== 0) continue;
      const family = view.getUint16(0, littleEndian);
      if (family !== AF_INET && family !== AF_INET6) continue;
      if (view.getUint16(2) !== port || option(descriptor, SO_TYPE) !== SOCK_DGRAM) continue;
      value[0] = bytes;
      // Beyond the system's limit only root may go; others get as much as the limit allows.
      if (setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, value, 4) !== 0) {
        value[0] = bytes;
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, value, 4);
      }
      return option(descriptor, SO_RCVBUF);
    }
    return undefined;
  } finally {
    library.close();
  }
}

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
