import assert from "node:assert/strict";
import { posix, win32 } from "node:path";
import fc from "fast-check";
import type { ManifestEntry } from "../../../lib/transfer/offer/entry.ts";
import { foldName, NamesGate, type NameSystem, refusalOf } from "../../../lib/transfer/names.ts";

const POSIX: NameSystem = { nameRules: "posix", foldsNames: false, join: posix.join };
const MAC: NameSystem = { nameRules: "posix", foldsNames: true, join: posix.join };
const WINDOWS: NameSystem = { nameRules: "windows", foldsNames: true, join: win32.join };

function file(path: string): ManifestEntry {
  return { kind: "file", path, sizeBytes: 0, mtimeMs: 0, executable: false };
}

function folder(path: string): ManifestEntry {
  return { ...file(path), kind: "directory" };
}

/** The reason each entry is refused for, or the path it gets. */
function judge(system: NameSystem, ...entries: ManifestEntry[]): string[] {
  const gate = new NamesGate(system, "/into");
  return entries.map((entry) => {
    const verdict = gate.admit(entry);
    return verdict.isAdmitted ? verdict.path : `! ${verdict.reason}`;
  });
}

Deno.test("NamesGate admits ordinary names below the target", () => {
  assert.deepEqual(
    judge(POSIX, folder("a"), file("a/b c.txt"), folder("a/ü"), file("a/ü/日本.tar.gz")),
    ["/into/a", "/into/a/b c.txt", "/into/a/ü", "/into/a/ü/日本.tar.gz"],
  );
  assert.deepEqual(judge(POSIX, file("con"), file("a:b"), file("dot."), file("...")), [
    "/into/con",
    "/into/a:b",
    "/into/dot.",
    "/into/...",
  ]);
});

const HOSTILE = [
  "",
  ".",
  "..",
  "/x",
  "/etc/passwd",
  "../x",
  "../../x",
  "a/../../x",
  "a/./x",
  "a//x",
  "a/",
  "/",
  "..\\x",
  "a\\b",
  "C:\\x",
  "\\\\host\\share",
  "a\0b",
  "a\nb",
  "\x1b[2J",
  "\x7f",
  "\x9b31m",
  "x".repeat(256),
  "ü".repeat(128),
  ".p2pft-0123456789abcdef.part",
  ".P2PFT-0123456789ABCDEF.JOURNAL",
  "unlisted/x",
];

Deno.test("NamesGate refuses every hostile name [NAME-1] [NAME-2] [NAME-4] [NAME-6]", () => {
  for (const system of [POSIX, MAC, WINDOWS]) {
    for (const path of HOSTILE) {
      for (const entry of [file(path), folder(path)]) {
        const [verdict] = judge(system, entry);
        assert.ok(verdict!.startsWith("! "), `${JSON.stringify(path)}: ${verdict}`);
      }
    }
  }
});

Deno.test("NamesGate refuses on Windows what Windows would take for something else [NAME-4]", () => {
  const names = ["con", "NUL.txt", "Com1", "lpt9.tar.gz", "com¹", "aux ", "aux .txt", "CONIN$"];
  names.push("a:b", "a<b", "a|b", "a?", "a*", 'a"b', "dot.", "space ", "C:");
  for (const name of names) {
    assert.ok(judge(WINDOWS, file(name))[0]!.startsWith("! "), name);
    assert.ok(!judge(POSIX, file(name))[0]!.startsWith("! "), name);
  }
  for (const name of ["console", "com", "com10", "nulls", "aux-1", "lpt"]) {
    assert.ok(!judge(WINDOWS, file(name))[0]!.startsWith("! "), name);
  }
});

Deno.test("NamesGate never lets a path out, whatever the components [NAME-1]", () => {
  const component = fc.oneof(
    fc.constantFrom(...HOSTILE, "a", "A", "b.c", "con", " ", ".hidden"),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const path = fc.array(component, { maxLength: 4 }).map((parts) => parts.join("/"));
  const entry = fc.tuple(path, fc.boolean())
    .map(([text, isFile]) => isFile ? file(text) : folder(text));
  fc.assert(
    fc.property(
      fc.array(entry, { maxLength: 30 }),
      fc.constantFrom(POSIX, MAC),
      (entries, system) => {
        const paths = new Set<string>();
        const gate = new NamesGate(system, "/into");
        for (const one of entries) {
          const verdict = gate.admit(one);
          if (!verdict.isAdmitted) continue;
          assert.ok(verdict.path.startsWith("/into/"), verdict.path);
          assert.equal(posix.normalize(verdict.path), verdict.path);
          assert.equal(posix.dirname(verdict.path), verdict.parent);
          const key = system.foldsNames
            ? verdict.path.normalize("NFC").toLowerCase()
            : verdict.path;
          assert.ok(!paths.has(key), `two entries at ${verdict.path}`);
          paths.add(key);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("NamesGate stops at 64 folders [NAME-3]", () => {
  const entries: ManifestEntry[] = [];
  for (let depth = 1; depth <= 65; depth++) entries.push(folder("d/".repeat(depth).slice(0, -1)));
  const verdicts = judge(
    POSIX,
    ...entries,
    file("d/".repeat(63) + "f"),
    file("d/".repeat(64) + "f"),
  );
  assert.ok(!verdicts[63]!.startsWith("!"));
  assert.equal(verdicts[64], "! is more than 64 folders deep");
  assert.ok(!verdicts[65]!.startsWith("!"));
  assert.equal(verdicts[66], "! is more than 64 folders deep");
});

Deno.test("NamesGate says once that a folder is refused", () => {
  assert.deepEqual(
    judge(POSIX, folder("a\nb"), file("a\nb/x"), folder("a\nb/c"), file("a\nb/c/y"), file("z")),
    ["! contains a control character", "! inside", "! inside", "! inside", "/into/z"],
  );
});

Deno.test("NamesGate refuses what is listed twice", () => {
  assert.deepEqual(judge(POSIX, file("a"), file("a"), folder("a"), folder("b"), file("b")), [
    "/into/a",
    "! is listed twice",
    "! is listed twice",
    "/into/b",
    "! is listed twice",
  ]);
});

Deno.test("NamesGate gives a number to names that the system would take for one [NAME-5]", () => {
  assert.deepEqual(
    judge(
      MAC,
      file("Read.me"),
      file("READ.me"),
      file("read (2).me"),
      file("e\u0301"),
      file("\u00e9"),
      folder("Dir.d"),
      folder("dir.D"),
      file("dir.D/x"),
      file("Dir.d/x"),
    ),
    [
      "/into/Read.me",
      "/into/READ (2).me",
      "/into/read (2) (2).me",
      "/into/e\u0301",
      "/into/\u00e9 (2)",
      "/into/Dir.d",
      "/into/dir.D (2)",
      "/into/dir.D (2)/x",
      "/into/Dir.d/x",
    ],
  );
  assert.deepEqual(judge(POSIX, file("a"), file("A")), ["/into/a", "/into/A"]);
  const long = "x".repeat(254);
  assert.deepEqual(judge(MAC, file(`${long}y`), file(`${long}Y`)), [
    `/into/${long}y`,
    "! has a component longer than 255 bytes",
  ]);
});

Deno.test("NamesGate keeps the spelling that is here, and none that may not be sent [NAME-5] [NAME-6]", () => {
  const part = ".p2pft-0123456789abcdff.part";
  const here = new Map([["/into docs", "DOCS"], ["/into/DOCS a.txt", "A.txt"], [
    `/into ${part}`,
    part,
  ]]);
  const gate = new NamesGate(
    MAC,
    "/into",
    (folder, name) => here.get(`${folder} ${foldName(name)}`),
  );
  const judged = [folder("docs"), file("docs/a.TXT"), file("docs/A.TXT"), file("x")].map(
    (entry) => {
      const verdict = gate.admit(entry);
      return verdict.isAdmitted ? verdict.storedAs : verdict.reason;
    },
  );
  assert.deepEqual(judged, ["DOCS", "DOCS/A.txt", "DOCS/A (2).TXT", "x"]);
  // A ligature is two letters to who folds names.
  const disguised = gate.admit(file(part.replace("ff", "\ufb00")));
  assert.deepEqual(disguised, { isAdmitted: false, reason: "is reserved by p2pft" });
});

Deno.test("NamesGate names an entry anew with numbers the share does not use [KEEP-3]", () => {
  const first = (system: NameSystem, ...paths: string[]) => {
    const gate = new NamesGate(system, "/into");
    for (const path of paths) gate.admit(file(path));
    const names = gate.otherNames(file(paths[0]!), paths[0]!);
    return [names.next().value, names.next().value];
  };
  assert.deepEqual(first(POSIX, "a.tar.gz"), ["a.tar (2).gz", "a.tar (3).gz"]);
  assert.deepEqual(first(POSIX, ".rc", ".rc (2)"), [".rc (3)", ".rc (4)"]);
  assert.deepEqual(first(POSIX, "a", "A (2)"), ["a (2)", "a (3)"]);
  assert.deepEqual(first(MAC, "a", "A (2)"), ["a (3)", "a (4)"]);
  assert.deepEqual(first(POSIX, "x".repeat(252)), [undefined, undefined]);
});

Deno.test("NamesGate marks names that begin with a dot at the top [NAME-7]", () => {
  const gate = new NamesGate(POSIX, "/into");
  const isDotName = (entry: ManifestEntry) => {
    const verdict = gate.admit(entry);
    assert.ok(verdict.isAdmitted);
    return verdict.isDotName;
  };
  assert.ok(isDotName(folder(".ssh")));
  assert.ok(isDotName(file(".ssh/authorized_keys")));
  assert.ok(isDotName(file(".bashrc")));
  assert.ok(!isDotName(folder("home")));
  assert.ok(!isDotName(file("home/.bashrc")));
});

Deno.test("NamesGate refuses a path that is not UTF-8 [NAME-2]", () => {
  assert.deepEqual(judge(POSIX, { ...file("\ufffd"), isMalformedName: true }), [
    "! is not valid UTF-8",
  ]);
});

Deno.test("refusalOf counts bytes, not characters [NAME-2]", () => {
  assert.equal(refusalOf("ü".repeat(127), "posix"), undefined);
  assert.equal(refusalOf("ü".repeat(128), "posix"), "has a component longer than 255 bytes");
  assert.equal(refusalOf("x".repeat(255), "posix"), undefined);
});

Deno.test("NamesGate takes one name in many spellings without trying each number again [NAME-5]", () => {
  const gate = new NamesGate(MAC, "/into");
  const bits = 15;
  const start = performance.now();
  for (let number = 0; number < 2 ** bits; number++) {
    let name = "";
    for (let bit = 0; bit < bits; bit++) name += (number >> bit) % 2 === 0 ? "a" : "A";
    assert.ok(gate.admit(file(name)).isAdmitted);
  }
  // Trying each number for each of them would take half a billion steps: minutes.
  const elapsedMs = performance.now() - start;
  assert.ok(elapsedMs < 10_000, `${elapsedMs} ms`);
});

Deno.test("NamesGate refuses on Windows what may be the short name of something else [NAME-4]", () => {
  for (const name of ["SSH~1", "ssh~1", "PROGRA~1", "AB12F~12.TXT", "a~1.b"]) {
    assert.equal(judge(WINDOWS, folder(name))[0], "! is reserved by Windows", name);
    assert.ok(!judge(POSIX, folder(name))[0]!.startsWith("! "), name);
  }
  for (const name of ["~$report.docx", "backup-of-2024~1", "a~b", "a~1.json", "x~"]) {
    assert.ok(!judge(WINDOWS, file(name))[0]!.startsWith("! "), name);
  }
});

Deno.test("NamesGate sees the dot behind characters that a file system may not see [NAME-7]", () => {
  const verdict = new NamesGate(MAC, "/into").admit(folder("\u200c.ssh"));
  assert.ok(verdict.isAdmitted && verdict.isDotName);
});
