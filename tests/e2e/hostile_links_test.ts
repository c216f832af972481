/**
 * Goal: no link that a sharer offers leads out of the folder that it is in, by itself, through other
 * links, or through what is in the target already, and nothing is written through one.
 * Method: a corpus of texts of links in one offer, received for real, each folder with a file that
 * would go through the link; then every link that was made is followed. Needs
 * `--allow-read --allow-write` of the temporary folder.
 */
import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import type { ManifestEntry } from "../../lib/transfer/offer/entry.ts";
import type { Manifest } from "../../lib/transfer/offer/manifest.ts";
import { transferOnDisk } from "../support/disk_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";

const MTIME_MS = 1_500_000_000_123;
const TOP = "top";

/** Texts of links in `top/in`, and whether they may be made there. */
const TARGETS: readonly (readonly [text: string, isMade: boolean])[] = [
  ...["file", "./file", "folder", "folder/", "folder/file", "../other", "..", ".", "../in/file"]
    .map((text) => [text, true] as const),
  ...["not there", "folder/../file", "...", "..file", "~", "C:", "a\\..\\..\\b", "\u202efile"]
    .map((text) => [text, true] as const),
  ...["../..", "../../x", "../../outside", "../../../etc/passwd", "/etc/passwd", "/", "//host/x"]
    .map((text) => [text, false] as const),
  ...["folder/../../../x", "./../../x", "../../top/in/file", "../in/../../x", "folder/../../.."]
    .map((text) => [text, false] as const),
  ...["..//..//x", "./.././../x", "../../../../../../../../tmp/x", `${"../".repeat(500)}x`]
    .map((text) => [text, false] as const),
  // Through a link that is itself in the offer, and through one that was planted.
  ...["within/../../..", "within/../../outside", "within/file", "planted/victim", "planted/../x"]
    .map((text) => [text, false] as const),
];

function entry(details: Partial<ManifestEntry> & { readonly path: string }): ManifestEntry {
  return { kind: "file", sizeBytes: 0, mtimeMs: MTIME_MS, executable: false, ...details };
}

/** Where a link leads, as far as there is something on the way. */
function destinationOf(path: string): string {
  const text = Deno.readLinkSync(path);
  const written = text.startsWith("/") ? text : join(dirname(path), text);
  try {
    return Deno.realPathSync(path);
  } catch {
    return normalize(written);
  }
}

function linksIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isSymlink, isDirectory }) => {
    const path = join(folder, name);
    return isSymlink ? [path] : isDirectory ? linksIn(path) : [];
  });
}

Deno.test({
  name:
    "receive makes no link that leads out of its folder, and writes through none [LINK-2] [LINK-3]",
  // Links are not made there.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using temp = await TempFolder.make();
    const payload = temp.at("payload");
    Deno.writeTextFileSync(payload, "evil");
    Deno.utimeSync(payload, new Date(MTIME_MS), new Date(MTIME_MS));
    const target = await temp.folder("target");
    const outside = await temp.folder("outside");
    Deno.writeTextFileSync(join(outside, "victim"), "precious");
    await temp.folder("target", TOP, "in");
    Deno.symlinkSync(outside, join(target, TOP, "in", "planted"));

    const inFolder = `${TOP}/in`;
    const entries: ManifestEntry[] = [
      entry({ kind: "directory", path: TOP }),
      entry({ kind: "directory", path: `${TOP}/folder` }),
      entry({ kind: "directory", path: inFolder }),
      entry({ kind: "directory", path: `${inFolder}/folder` }),
      entry({ path: `${inFolder}/file`, sizeBytes: 4 }),
      entry({ path: `${TOP}/other`, sizeBytes: 4 }),
      entry({ kind: "symlink", path: `${inFolder}/within`, linkTarget: "../folder" }),
      // A link of the top level is in no folder of the share.
      entry({ kind: "symlink", path: "link at the top", linkTarget: `${TOP}/other` }),
    ];
    TARGETS.forEach(([linkTarget], index) => {
      const path = `${inFolder}/link ${index}`;
      entries.push(entry({ kind: "symlink", path, linkTarget }));
      entries.push(entry({ path: `${path}/through`, sizeBytes: 4 }));
    });
    const count = (kind: string) => entries.filter((one) => one.kind === kind).length;
    const manifest: Manifest = {
      entries,
      sourceOf: () => payload,
      files: count("file"),
      directories: count("directory"),
      links: count("symlink"),
      bytes: 4 * count("file"),
      leftOut: 0,
    };
    const decision = { accept: true, overwrite: "always", takeDotNames: true } as const;
    const { exit } = await transferOnDisk({ manifest, directory: target, decision });
    assert.equal(exit, 12);

    assert.deepEqual(Array.from(Deno.readDirSync(outside), ({ name }) => name), ["victim"]);
    assert.equal(Deno.readTextFileSync(join(outside, "victim")), "precious");
    const made = linksIn(target).filter((path) => !path.endsWith("planted"));
    for (const path of made) {
      const destination = destinationOf(path);
      assert.ok(
        destination === join(target, TOP) || destination.startsWith(`${join(target, TOP)}/`),
        `${Deno.readLinkSync(path)} leads to ${destination}`,
      );
    }
    TARGETS.forEach(([text, isMade], index) => {
      const isThere = made.includes(join(target, TOP, "in", `link ${index}`));
      assert.equal(isThere, isMade, JSON.stringify(text));
    });
    assert.ok(!made.includes(join(target, "link at the top")));
  },
});
