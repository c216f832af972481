/**
 * Goal: no name that a sharer can think of makes a receiver write, change or remove anything outside
 * its target, whatever links are planted there.
 * Method: the whole corpus of names in one offer, as files and as folders, received for real into a
 * folder full of links that lead out; everything outside is compared, to the time, with what it was.
 * Needs `--allow-read --allow-write` of the temporary folder.
 */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import type { OfferDecision } from "../../lib/options.ts";
import type { ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import type { Manifest } from "../../lib/transfer/offer/manifest.ts";
import { transferOnDisk } from "../support/disk_transfer.ts";
import { foldersAbove, NAME_ATTACKS } from "../support/hostile_names.ts";
import { TempFolder } from "../support/temp_folder.ts";

const MTIME_MS = 1_500_000_000_123;
/** What a receiver puts beside what it writes, and takes away again. */
const OWN_NAME = /\.p2pft-[0-9a-f]{16}\.(?:part|journal|next)$/;
const isWindows = Deno.build.os === "windows";

/** Where links lead that are planted in the target. */
const PLANTED: Readonly<Record<string, string>> = {
  "a": "outside",
  "folder": "outside/folder",
  "x": "outside/victim",
  ".ssh": "outside/home/.ssh",
  ".bashrc": "outside/home/.bashrc",
  "con": "outside/victim",
  "dangling": "outside/not there",
  "d": "..",
  "loop": "target/loop",
  "e\u0301": "outside/victim",
};

/** Everything in a folder: kind, size, time and content. */
function lookAt(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    const info = Deno.lstatSync(path);
    const about = info.isSymlink
      ? Deno.readLinkSync(path)
      : info.isFile
      ? Deno.readTextFileSync(path)
      : "";
    found.push(`${relative(folder, path)} ${info.mtime?.getTime()} ${about}`);
    if (!info.isDirectory) return;
    for (const name of Array.from(Deno.readDirSync(path), ({ name }) => name).sort()) {
      visit(join(path, name));
    }
  };
  visit(folder);
  return found;
}

/** Every plain file in a folder, links not followed. */
function filesIn(folder: string): string[] {
  const found: string[] = [];
  const visit = (path: string) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(path)) {
      if (isDirectory) visit(join(path, name));
      if (isFile) found.push(relative(folder, join(path, name)));
    }
  };
  visit(folder);
  return found;
}

function entry(kind: "file" | "directory", path: string, sizeBytes: number): ManifestEntry {
  return { kind, path, sizeBytes, mtimeMs: MTIME_MS, executable: false };
}

/** Every attack as a file or, where `asFolders`, as a folder with a file in it. */
function hostileManifest(payload: string, asFolders: boolean): Manifest {
  const size = Deno.statSync(payload).size;
  const listed = new Set<string>();
  const entries: ManifestEntry[] = [];
  for (const { path } of NAME_ATTACKS) {
    // What is no UTF-8 cannot be in a manifest of ours; the gate's own tests have it.
    if (typeof path !== "string") continue;
    const folders = asFolders ? [...foldersAbove(path), path] : foldersAbove(path);
    for (const folder of folders) {
      if (folder === "" || listed.has(folder)) continue;
      listed.add(folder);
      entries.push(entry("directory", folder, 0));
    }
    entries.push(entry("file", asFolders ? `${path}/inside` : path, size));
  }
  entries.push(entry("file", "dangling", size), entry("file", "loop/x", size));
  const files = entries.filter(({ kind }) => kind === "file").length;
  return {
    entries,
    sourceOf: () => payload,
    files,
    directories: entries.length - files,
    links: 0,
    bytes: files * size,
    leftOut: 0,
  };
}

const DECISIONS: Readonly<Record<string, OfferDecision>> = {
  "keeping what is there": { accept: true },
  "replacing what is there, dot-names too": {
    accept: true,
    overwrite: "always",
    takeDotNames: true,
  },
};

for (const [how, decision] of Object.entries(DECISIONS)) {
  for (const asFolders of [false, true]) {
    Deno.test({
      name: `receive writes none of the hostile ${asFolders ? "folders" : "files"} outside, ${how}`,
      // Making a link takes a privilege on Windows.
      ignore: isWindows,
      fn: async () => {
        await using temp = await TempFolder.make();
        const payload = temp.at("payload");
        Deno.writeTextFileSync(payload, "evil");
        Deno.utimeSync(payload, new Date(MTIME_MS), new Date(MTIME_MS));
        const target = await temp.folder("target");
        const outside = await temp.folder("outside");
        await temp.folder("outside", "folder");
        await temp.folder("outside", "home", ".ssh");
        for (const name of ["victim", "home/.bashrc", "home/.ssh/authorized_keys", "folder/con"]) {
          Deno.writeTextFileSync(join(outside, name), `precious ${name}`);
        }
        for (const [name, to] of Object.entries(PLANTED)) {
          Deno.symlinkSync(temp.at(to), join(target, name));
        }
        const before = lookAt(outside);
        const around = Array.from(Deno.readDirSync(temp.path), ({ name }) => name).sort();

        const manifest = hostileManifest(payload, asFolders);
        const { exit, warnings } = await transferOnDisk({ manifest, directory: target, decision });
        assert.equal(exit, 12, "unsafe names come first");
        assert.ok(warnings.length > 100);
        assert.deepEqual(lookAt(outside), before);
        assert.deepEqual(
          Array.from(Deno.readDirSync(temp.path), ({ name }) => name).sort(),
          around,
        );
        assert.equal(Deno.readTextFileSync(payload), "evil");

        // What was written is in the target and nowhere else, and it is what the corpus says.
        const taken = new Set(
          NAME_ATTACKS.filter(({ posix }) => posix === "taken")
            .map(({ path }) => path as string),
        );
        const written = filesIn(target);
        assert.ok(written.length > 100, `${written.length} files`);
        for (const path of written) {
          const attack = asFolders ? path.replace(/\/inside$/, "") : path;
          assert.ok(taken.has(attack) || attack === "dangling", JSON.stringify(path));
          assert.doesNotMatch(path, OWN_NAME);
        }
      },
    });
  }
}
