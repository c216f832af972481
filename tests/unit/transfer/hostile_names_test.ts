/**
 * Goal: no name of a corpus of several hundred attacks becomes a path outside the target or another
 * file's path, on the rules of any system.
 * Method: each attack through the gate with the folders above it listed as the sharer would; the path
 * it gets is taken apart again by the rules of that system.
 */
import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { decodeMessage } from "../../../lib/transfer/message_decoder.ts";
import { encodeMessage } from "../../../lib/transfer/message_encoder.ts";
import { NamesGate, type NameSystem, type NameVerdict } from "../../../lib/transfer/names.ts";
import { foldersAbove, NAME_ATTACKS, type NameAttack } from "../../support/hostile_names.ts";

const POSIX: NameSystem = { nameRules: "posix", foldsNames: false, join: posix.join };
const MAC: NameSystem = { nameRules: "posix", foldsNames: true, join: posix.join };
const WINDOWS: NameSystem = { nameRules: "windows", foldsNames: true, join: win32.join };

function entryOf(path: string, kind: "file" | "directory" = "file"): ManifestEntry {
  return { kind, path, sizeBytes: 0, mtimeMs: 0, executable: false };
}

/** An entry as it comes out of a message that names these bytes. */
function received(path: string | Uint8Array): ManifestEntry {
  if (typeof path === "string") return entryOf(path);
  const out = new Uint8Array(400);
  const plain = entryOf("x".repeat(path.length));
  const end = encodeMessage({ type: "entries", first: 0, entries: [plain] }, out, 0);
  const at = out.indexOf(0x78);
  out.set(path, at);
  const message = decodeMessage(0x07, out.subarray(0, end));
  assert.ok(typeof message === "object" && message.type === "entries");
  return message.entries[0]!;
}

function judge(system: NameSystem, attack: NameAttack): NameVerdict {
  const gate = new NamesGate(system, system === WINDOWS ? "C:\\into" : "/into");
  const entry = received(attack.path);
  for (const folder of foldersAbove(entry.path)) gate.admit(entryOf(folder, "directory"));
  return gate.admit(entry);
}

const shown = ({ group, path }: NameAttack): string => `${group}: ${JSON.stringify(path)}`;

Deno.test("the corpus of names has several hundred different attacks", () => {
  const different = new Set(NAME_ATTACKS.map(({ path }) => JSON.stringify(path)));
  assert.equal(different.size, NAME_ATTACKS.length);
  assert.ok(different.size >= 500, `${different.size}`);
});

for (
  const [name, system, rules] of [
    ["Linux", POSIX, "posix"],
    ["macOS", MAC, "posix"],
    ["Windows", WINDOWS, "windows"],
  ] as const
) {
  Deno.test(`NamesGate gives every attack its verdict on ${name} [NAME-1] [NAME-2] [NAME-4] [NAME-6]`, () => {
    const wrong = NAME_ATTACKS.filter((attack) =>
      judge(system, attack).isAdmitted !== (attack[rules] === "taken")
    );
    assert.deepEqual(wrong.map(shown), []);
  });
}

Deno.test("NamesGate gives no attack a path outside the target, or one that means another", () => {
  for (
    const [system, root, lib] of [
      [POSIX, "/into", posix],
      [MAC, "/into", posix],
      [WINDOWS, "C:\\into", win32],
    ] as const
  ) {
    for (const attack of NAME_ATTACKS) {
      const verdict = judge(system, attack);
      if (!verdict.isAdmitted) continue;
      const path = typeof attack.path === "string" ? attack.path : "";
      assert.ok(verdict.path.startsWith(root + lib.sep), shown(attack));
      assert.equal(lib.normalize(verdict.path), verdict.path, shown(attack));
      assert.equal(lib.dirname(verdict.path), verdict.parent, shown(attack));
      assert.equal(
        verdict.path.slice(root.length + 1).split(lib.sep).length,
        path.split("/").length,
        shown(attack),
      );
      assert.deepEqual(lib.parse(verdict.path).root, lib.parse(root).root, shown(attack));
    }
  }
});

Deno.test("NamesGate marks every name whose first letter that is seen is a dot [NAME-7]", () => {
  for (const attack of NAME_ATTACKS) {
    const verdict = judge(MAC, attack);
    if (!verdict.isAdmitted) continue;
    const first = (attack.path as string).split("/")[0]!;
    const isDot = attack.isDotName ?? /^\p{Cf}*\./u.test(first);
    assert.equal(verdict.isDotName, isDot, shown(attack));
  }
});

/** Lists in which one entry is an attack on another; what becomes of the last. */
const SEQUENCES:
  readonly (readonly [string, readonly (readonly ["file" | "directory", string])[]])[] = [
    ["a file twice", [["file", "a"], ["file", "a"]]],
    ["a file and a folder of one name", [["file", "a"], ["directory", "a"]]],
    ["a folder and a file of one name", [["directory", "a"], ["file", "a"]]],
    ["something in a file", [["file", "a"], ["file", "a/b"]]],
    ["something in a refused folder", [["directory", ".."], ["file", "../x"]]],
    ["something in a folder inside a refused one", [
      ["directory", "a\\b"],
      ["directory", "a\\b/c"],
      ["file", "a\\b/c/d"],
    ]],
    ["a folder behind what is in it", [["file", "a/b"], ["directory", "a"], ["file", "a/b/c"]]],
    ["the target itself", [["directory", ""], ["file", "/x"]]],
    ["a folder under two spellings", [["directory", "a"], ["file", "a/./x"]]],
  ];

for (const [what, entries] of SEQUENCES) {
  Deno.test(`NamesGate refuses ${what}`, () => {
    for (const system of [POSIX, MAC, WINDOWS]) {
      const gate = new NamesGate(system, "/into");
      const verdicts = entries.map(([kind, path]) => gate.admit(entryOf(path, kind)));
      assert.equal(verdicts.at(-1)!.isAdmitted, false);
    }
  });
}

Deno.test("NamesGate puts no two spellings of one name in one place [NAME-5]", () => {
  const spellings = ["Straße", "STRASSE", "strasse", "é", "e\u0301", "É", "K", "k", "\u212a"];
  for (const system of [MAC, WINDOWS]) {
    const gate = new NamesGate(system, "/into");
    const places = spellings.map((name) => gate.admit(entryOf(name)))
      .map((verdict) => verdict.isAdmitted ? verdict.path.normalize("NFC").toUpperCase() : "");
    assert.ok(!places.includes(""));
    assert.equal(new Set(places).size, spellings.length, places.join(" "));
  }
});
