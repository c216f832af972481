/**
 * Goal: whatever another program of this machine puts into the target while a transfer goes on, and
 * whenever it does, nothing outside is written, changed or removed, and what stands under a name of
 * the transfer is what was sent.
 * Method: one whole transfer for each call that a receiver makes of its disk; before that call a link
 * that leads out is planted, or something is swapped for one. Folders are swapped long enough before
 * the call for the look at them to have expired, and not while a call that makes names is under way:
 * what may happen then is documented ([DISK-2]) and not promised. Needs `--allow-read --allow-write` of the temporary folder.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import { buildManifest, type Manifest } from "../../lib/transfer/offer/manifest.ts";
import { transferOnDisk, watched } from "../support/disk_transfer.ts";
import { Prng } from "../support/prng.ts";
import { TempFolder } from "../support/temp_folder.ts";

const MTIME_MS = 1_400_000_000_456;
/** Longer than a look at a folder counts [DISK-2]. */
const LOOK_MS = 12;
const isWindows = Deno.build.os === "windows";

/** Everything in a folder: kind, size, time and content. */
function lookAt(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    const info = Deno.lstatSync(path);
    const about = info.isFile ? Deno.readTextFileSync(path) : "";
    found.push(`${relative(folder, path)} ${info.mtime?.getTime()} ${about}`);
    if (!info.isDirectory) return;
    for (const name of Array.from(Deno.readDirSync(path), ({ name }) => name).sort()) {
      visit(join(path, name));
    }
  };
  visit(folder);
  return found;
}

function waitMs(ms: number): void {
  const start = performance.now();
  while (performance.now() - start < ms);
}

function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // What is to be swapped is not there yet, or not any more: then there is nothing to swap.
  }
}

/** The folders of a run. */
interface Place {
  readonly target: string;
  readonly outside: string;
}

/** What another program does; before the call `at`. */
type Deed = (place: Place) => void;

/** Puts a link to a file or folder outside where `name` is or will be. */
function swap(path: string, to: string): void {
  tryTo(() => Deno.renameSync(path, `${path} moved away`));
  tryTo(() => Deno.symlinkSync(to, path));
}

/** Every part file, journal and the like that is there now. */
function ownFiles(folder: string): string[] {
  const found: string[] = [];
  tryTo(() => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) found.push(...ownFiles(join(folder, name)));
      if (/^\.p2pft-[0-9a-f]{16}\.[a-z]+$/.test(name)) found.push(join(folder, name));
    }
  });
  return found;
}

const DEEDS: Readonly<Record<string, Deed>> = {
  "a link to a file in the place of a small file": ({ target, outside }) =>
    swap(join(target, "share", "small"), join(outside, "victim")),
  "a link to a file in the place of a large file": ({ target, outside }) =>
    swap(join(target, "share", "in", "large"), join(outside, "victim")),
  "a link to nothing in the place of a file": ({ target, outside }) =>
    swap(join(target, "share", "in", "file"), join(outside, "not there")),
  "a link to a folder in the place of a folder": ({ target, outside }) => {
    swap(join(target, "share", "in"), outside);
    waitMs(LOOK_MS);
  },
  "a link in the place of whatever is being written": ({ target, outside }) => {
    for (const path of ownFiles(target)) swap(path, join(outside, "victim"));
  },
};

async function makeShare(temp: TempFolder): Promise<Manifest> {
  await temp.folder("share", "in");
  const prng = new Prng(1);
  for (
    const [name, size] of [["small", 100], ["in/file", 3000], ["in/large", 1_100_000]] as const
  ) {
    const path = temp.at("share", name);
    Deno.writeFileSync(path, prng.bytes(size));
    Deno.utimeSync(path, new Date(MTIME_MS), new Date(MTIME_MS));
  }
  return await buildManifest(new DenoStorage(), [temp.at("share")], { onWarning: () => {} });
}

/** One transfer with a deed before one of its calls; gives how many calls there were. */
async function run(temp: TempFolder, manifest: Manifest, deed: Deed, at: number): Promise<number> {
  const target = await temp.folder(`target ${at}`);
  const outside = await temp.folder(`outside ${at}`);
  for (const name of ["victim", "small", "file", "large"]) {
    Deno.writeTextFileSync(join(outside, name), `precious ${name}`);
  }
  Deno.utimeSync(outside, new Date(MTIME_MS), new Date(MTIME_MS));
  const before = lookAt(outside);
  let calls = 0;
  let during = "";
  const storage = watched(new DenoStorage(), (call, isNaming) => {
    if (calls++ < at || during !== "" || isNaming) return;
    during = call;
    deed({ target, outside });
  });
  const decision = { accept: true, overwrite: "always" } as const;
  await transferOnDisk({ manifest, directory: target, decision, storage });
  assert.deepEqual(lookAt(outside), before, `before call ${at}, ${during}`);
  for (const name of ["small", "in/file", "in/large"]) {
    const path = join(target, "share", name);
    let info: Deno.FileInfo | undefined;
    tryTo(() => info = Deno.lstatSync(path));
    const isThrough = Deno.realPathSync(target) !== target ||
      !tryRealPath(path).startsWith(`${target}/`);
    if (!info?.isFile || isThrough) continue;
    assert.deepEqual(Deno.readFileSync(path), Deno.readFileSync(temp.at("share", name)), name);
  }
  await Deno.remove(target, { recursive: true });
  await Deno.remove(outside, { recursive: true });
  return calls;
}

function tryRealPath(path: string): string {
  let real = "";
  tryTo(() => real = Deno.realPathSync(path));
  return real;
}

for (const [what, deed] of Object.entries(DEEDS)) {
  Deno.test({
    name: `a transfer is led nowhere by ${what}, whenever it is put there [DISK-1] [DISK-2]`,
    // Making a link takes a privilege on Windows.
    ignore: isWindows,
    fn: async () => {
      await using temp = await TempFolder.make();
      const manifest = await makeShare(temp);
      let moments = 0;
      for (let at = 0; at < (await run(temp, manifest, deed, at)); at++) moments++;
      assert.ok(moments >= 15, `only ${moments} moments`);
    },
  });
}
