/** How much room there is on the disk. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";

/** Bytes free where a folder is or will be; see {@linkcode Storage.freeBytes}. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  // Asking without the permission would stop and ask the person; that to read may end at the
  // folder itself, which is perhaps not there yet.
  const permission = await Deno.permissions.query({ name: "sys", kind: "statfs" });
  if (permission.state !== "granted") return undefined;
  for (let path = folder;;) {
    const { state } = await Deno.permissions.query({ name: "read", path });
    if (state !== "granted") return undefined;
    try {
      const { bavail, bsize } = await statfs(path);
      return bavail * bsize;
    } catch {
      // Not there yet, or a file system that does not tell: ask one level up, then give up.
      const parent = dirname(path);
      if (parent === path) return undefined;
      path = parent;
    }
  }
}
