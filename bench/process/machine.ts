/** The machine and the versions that figures were taken with. */

/** One line each, for people. */
export async function describeMachine(folder: string): Promise<string[]> {
  const cpuInfo = await readIfThere("/proc/cpuinfo");
  const memoryInfo = await readIfThere("/proc/meminfo");
  const model = /^model name\s*: (.*)$/m.exec(cpuInfo)?.[1];
  const memoryKilobytes = Number(/^MemTotal:\s+(\d+) kB$/m.exec(memoryInfo)?.[1] ?? 0);
  const memory = memoryKilobytes === 0 ? "" : `, ${Math.round(memoryKilobytes / 1e6)} GB memory`;
  const { deno, v8 } = Deno.version;
  return [
    `${navigator.hardwareConcurrency} cores (${model ?? Deno.build.arch})${memory}`,
    `${Deno.build.os} ${Deno.osRelease()}, Deno ${deno}, V8 ${v8}`,
    `files on ${await fileSystemOf(folder)}`,
  ];
}

/** The kind of file system that a folder is on: the mount whose path is the longest that fits. */
async function fileSystemOf(folder: string): Promise<string> {
  const path = await Deno.realPath(folder);
  let longest = "";
  let kind = "an unknown file system";
  for (const line of (await readIfThere("/proc/mounts")).split("\n")) {
    const [, mount = "", type = ""] = line.split(" ");
    const isAbove = mount === "/" || path === mount || path.startsWith(`${mount}/`);
    if (isAbove && mount.length >= longest.length) [longest, kind] = [mount, type];
  }
  return kind;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // Only Linux has it.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
