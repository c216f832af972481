/**
 * Names that a hostile sharer may offer, several hundred of them, each with what is to become of it
 * on a system with the rules of POSIX and of Windows. The verdicts follow from docs/transfer.md,
 * "Names", not from the code that obeys it.
 */

/** `taken`: it becomes a path below the target; `refused`: it is named and left out. */
export type Verdict = "taken" | "refused";

/** One attack. */
export interface NameAttack {
  /** What kind of attack it is. */
  readonly group: string;
  /** The path as it is offered; bytes where it is no UTF-8. */
  readonly path: string | Uint8Array;
  readonly posix: Verdict;
  readonly windows: Verdict;
  /** Whether its top-level name must be taken for one that begins with a dot. */
  readonly isDotName?: boolean;
}

type Verdicts = readonly [posix: Verdict, windows: Verdict];
const NOWHERE: Verdicts = ["refused", "refused"];
const NOT_WINDOWS: Verdicts = ["taken", "refused"];
const ANYWHERE: Verdicts = ["taken", "taken"];

function group(
  name: string,
  [posix, windows]: Verdicts,
  paths: readonly (string | Uint8Array)[],
): NameAttack[] {
  return paths.map((path) => ({ group: name, path, posix, windows }));
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const letters = (count: number, letter = "a"): string => letter.repeat(count);
const character = (code: number): string => String.fromCodePoint(code);

/** Ways out, for programs that join components of any of these spellings. */
const TRAVERSALS = [
  ...["", ".", "..", "/", "//", "///", "./", "../", "../..", "../../../../../../etc/passwd"],
  ...["../x", "./x", "/x", "//x", "/etc/passwd", "//host/share/x", "/../x", "/./x"],
  ...["a/..", "a/../x", "a/../../x", "a/b/../../../x", "a/.", "a/./x", "a//x", "a/", "a//"],
  ...["a/..//x", ".../../x", "a/../a/../a/../../x", "../a/../x", "..//x", "././x", "./../x"],
  ...["file:///etc/passwd", "http://host/x", "smb://host/x"],
];

/** The same with the separator of Windows, and its absolute paths. */
const BACKSLASHES = [
  ...[
    "\\",
    "\\\\",
    "..\\x",
    "..\\..\\x",
    "a\\..\\..\\x",
    ".\\x",
    "\\x",
    "a\\b",
    "a\\",
    "x\\..",
    "\\..",
  ],
  ...["C:\\x", "c:\\windows\\system32\\x", "\\\\host\\share\\x", "\\\\?\\C:\\x", "\\\\.\\pipe\\x"],
  ...["\\??\\C:\\x", "\\\\?\\UNC\\host\\share", "\\\\.\\PhysicalDrive0", "a/..\\../x", "..\\/x"],
  ...["a\\b/../c", "\\/x", "a/b\\..\\..\\..\\x", "\\\\localhost\\c$\\x", "%USERPROFILE%\\x"],
];

/** Spellings that mean a way out only to who decodes once too often. */
const ENCODINGS = [
  ...[
    "%2e%2e",
    "%2E%2E%2Fx",
    "..%2fx",
    "..%5cx",
    "%2e%2e%5cx",
    "%252e%252e%252f",
    "..%00",
    "..%0a",
  ],
  ...[
    "%c0%ae%c0%ae%c0%af",
    "..%c0%afx",
    "..%u2215x",
    "%uff0e%uff0e",
    "&#46;&#46;&#47;x",
    "..&sol;x",
  ],
  ...[
    "=2E=2E=2Fx",
    "0x2e0x2e",
    "u002e",
    "..;",
    "..+",
    "..,",
    "~",
    "~root",
    "$HOME",
    "${HOME}",
    "`id`",
  ],
  ...[
    "$(id)",
    ";id",
    "&&id",
    "#x",
    "!x",
    "-rf",
    "--help",
    "-",
    "=1+1",
    "@x",
    "'x'",
    "(x)",
    "[x]",
    "{x}",
  ],
];

/** Bytes that are no UTF-8: overlong forms of dots and slashes, halves, what is beyond Unicode. */
const BAD_UTF8 = [
  ...[bytes(0xc0, 0xae), bytes(0xc0, 0xae, 0xc0, 0xae), bytes(0xc0, 0xaf), bytes(0xc1, 0x9c)],
  ...[bytes(0xe0, 0x80, 0xae), bytes(0xe0, 0x80, 0xaf), bytes(0xf0, 0x80, 0x80, 0xae)],
  ...[bytes(0xf8, 0x80, 0x80, 0x80, 0xae), bytes(0xfc, 0x80, 0x80, 0x80, 0x80, 0xae)],
  ...[bytes(0x2e, 0x2e, 0xc0, 0xaf, 0x78), bytes(0xc0, 0x80), bytes(0xc1, 0xbf), bytes(0x80)],
  ...[bytes(0xbf), bytes(0xe2, 0x82), bytes(0xf0, 0x9f, 0x98), bytes(0xfe), bytes(0xff)],
  ...[bytes(0xed, 0xa0, 0x80), bytes(0xed, 0xbf, 0xbf), bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80)],
  ...[bytes(0xf4, 0x90, 0x80, 0x80), bytes(0xf5, 0x80, 0x80, 0x80), bytes(0x61, 0xff, 0x62)],
  ...[bytes(0x61, 0xe4), bytes(0xe4, 0x61), bytes(0xff, 0xfe, 0x61, 0x00), bytes(0xe9, 0x2e, 0x2e)],
];

/** What looks like a dot or a slash, or becomes one in compatibility form. */
const LOOK_ALIKES = [
  ...[0x2215, 0x2044, 0xff0f, 0x29f8, 0x2571, 0x27cb, 0x1735, 0x30ce, 0x4e3f, 0x2f03],
  ...[0xff3c, 0x2216, 0xfe68, 0x29f5, 0x29f9, 0x20e5, 0xff5c],
].map((code) => `..${character(code)}x`);
const DOT_LOOK_ALIKES = [
  ...[0x2024, 0xff0e, 0xfe52, 0x00b7, 0x0701, 0x3002, 0x0660, 0xa60e].map((code) =>
    character(code).repeat(2)
  ),
  ...[0x2025, 0x2026, 0x22ef, 0xfe19].map(character),
];

const DEVICES = [
  ...["con", "prn", "aux", "nul", "conin$", "conout$"],
  ...range(0, 9).flatMap((digit) => [`com${digit}`, `lpt${digit}`]),
  ...["com\u00b9", "com\u00b2", "com\u00b3", "lpt\u00b9", "lpt\u00b2", "lpt\u00b3"],
];
const NO_DEVICES = [
  ...["console", "com", "com10", "com\u2074", "lpt", "lpt10", "nulls", "aux-1", "prn_", "xcon"],
  ...["conin", "conout", "comx", "a.con", "a.nul", "_nul.txt"],
];

const STREAMS = [
  ...["x:y", "x:", ":x", ":", "x::$DATA", "x:y:$DATA", ".ssh::$INDEX_ALLOCATION"],
  ...["x:$I30:$INDEX_ALLOCATION", "C:", "C:x", "x:\u200by", "::"],
];
const FORBIDDEN = ["<", ">", '"', "|", "?", "*"].flatMap((sign) => [sign, `a${sign}`, `a${sign}b`]);
const TRAILING = [
  ...[
    "x.",
    "x..",
    "x...",
    "x ",
    "x  ",
    "x. ",
    "x .",
    "x . .",
    "...",
    "....",
    ". ",
    ".. ",
    " ",
    "  ",
  ],
  ...[" .", " ..", ". .", ".. .", ".. ..", "x.txt.", "x.txt ", "con.", "a.b. "],
];
const SHORT_NAMES = [
  ...["SSH~1", "ssh~1", "PROGRA~1", "A~1.TXT", "a~1", "LONGFI~9.EXT", "AB12F~12.TXT", "X~1.b"],
];
const NO_SHORT_NAMES = ["averylongname~1", "a~", "~1", "a~b", "a~1b", "a~1.text"];

const INVISIBLE = [
  ...[0xad, 0x61c, 0x180e, 0xfeff, ...range(0x200b, 0x200f), ...range(0x202a, 0x202e)],
  ...[
    ...range(0x2060, 0x2064),
    ...range(0x2066, 0x206f),
    0xfff9,
    0xfffb,
    0xe0001,
    0xe0020,
    0xe007f,
  ],
];
const BIDI = [
  ...["invoice\u202egnp.exe", "\u202dx", "a\u2066b\u2069", "\u200fx.txt", "\u200b", "x\ufeff"],
  ...[
    "\u2028x",
    "x\u2029",
    "\u0301x",
    "x\u0334\u0334\u0334",
    "\u{e0041}x",
    "\ue000x",
    "\u{10ffff}",
  ],
  ...["\u3164", "\u115f", "\u2800", "\u00a0", "x\u00a0", "\u3000x"],
];

const OWN_NAMES = [
  ...["part", "journal", "next"].flatMap((ending) => [
    `.p2pft-0123456789abcdef.${ending}`,
    `.P2PFT-0123456789ABCDEF.${ending.toUpperCase()}`,
    `.p2pft-ffffffffffffffff.${ending}`,
    `folder/.p2pft-0123456789abcdef.${ending}`,
  ]),
];
const ALMOST_OWN = [
  ...[
    ".p2pft-0123456789abcde.part",
    ".p2pft-0123456789abcdef0.part",
    ".p2pft-0123456789abcdeg.part",
  ],
  ...[".p2pft-0123456789abcdef.parts", ".p2pft-0123456789abcdef", ".p2pft"],
];

const DOT_NAMES = [
  ...[".ssh", ".bashrc", ".profile", ".config", ".gitconfig", ".netrc", ".ssh/authorized_keys"],
  ...[".config/autostart/x.desktop", "....x", ".a"],
];

/** Every attack. */
export const NAME_ATTACKS: readonly NameAttack[] = [
  ...group("way out", NOWHERE, TRAVERSALS),
  ...group("way out of Windows", NOWHERE, BACKSLASHES),
  // As names they are harmless; what they mean once decoded is nobody's business.
  ...group(
    "encoded way out",
    ANYWHERE,
    ENCODINGS,
  ),
  ...group("no UTF-8", NOWHERE, BAD_UTF8),
  ...group(
    "control character",
    NOWHERE,
    [...range(0, 0x1f), ...range(0x7f, 0x9f)].flatMap((code) => [
      `a${character(code)}b`,
      `folder/${character(code)}`,
    ]),
  ),
  ...group(
    "escape sequence",
    NOWHERE,
    [
      "\u001b[2J",
      "\u001b]0;x\u0007",
      "\u009b31m",
      "\u001bP+q\u001b\\",
      "x\u001b[A\rfake",
      "\b\b\bfake",
    ],
  ),
  ...group("looks like a separator", ANYWHERE, LOOK_ALIKES),
  ...group("looks like dots", ANYWHERE, DOT_LOOK_ALIKES),
  ...group("normal forms", ANYWHERE, [
    "e\u0301",
    "\u00e9",
    "\u212b",
    "\ufb01x",
    "\u{1d41a}",
    "İ",
    "ẞ",
  ]),
  ...group(
    "device",
    NOT_WINDOWS,
    DEVICES.flatMap((name) => [
      name,
      name.toUpperCase(),
      `${name}.txt`,
      `${name}.tar.gz`,
      `${name} .txt`,
      `folder/${name}`,
    ]),
  ),
  ...group("nearly a device", ANYWHERE, NO_DEVICES),
  ...group("stream of a file", NOT_WINDOWS, STREAMS),
  ...group("sign that Windows forbids", NOT_WINDOWS, FORBIDDEN),
  ...group("end that Windows drops", NOT_WINDOWS, TRAILING),
  ...group("short name", NOT_WINDOWS, SHORT_NAMES),
  ...group("nearly a short name", ANYWHERE, NO_SHORT_NAMES),
  ...group("invisible", ANYWHERE, INVISIBLE.map((code) => `a${character(code)}b`)),
  ...group("turns text around", ANYWHERE, BIDI),
  ...group("name of ours", NOWHERE, OWN_NAMES),
  ...group("nearly a name of ours", ANYWHERE, ALMOST_OWN).map((one) => ({
    ...one,
    isDotName: true,
  })),
  ...group("dot-name", ANYWHERE, DOT_NAMES).map((one) => ({ ...one, isDotName: true })),
  ...group(
    "dot-name behind what is invisible",
    ANYWHERE,
    INVISIBLE.flatMap((
      code,
    ) => [`${character(code)}.ssh`, `${character(code).repeat(3)}.bashrc/x`]),
  ).map((one) => ({ ...one, isDotName: true })),
  ...group("as long as may be", ANYWHERE, [
    letters(255),
    letters(127, "é"),
    letters(85, "名"),
    letters(63, "😀"),
    `folder/${letters(255)}`,
  ]),
  ...group("too long", NOWHERE, [
    letters(256),
    letters(128, "é"),
    letters(86, "名"),
    letters(64, "😀"),
    letters(4096),
    `folder/${letters(256)}`,
  ]),
  ...group("as deep as may be", ANYWHERE, [new Array(64).fill("d").join("/")]),
  ...group("too deep", NOWHERE, [
    new Array(65).fill("d").join("/"),
    new Array(900).fill("d").join("/"),
  ]),
];

/** The folders above a path, as a sharer would list them, outermost first. */
export function foldersAbove(path: string): string[] {
  const components = path.split("/");
  return components.slice(0, -1).map((_, index) => components.slice(0, index + 1).join("/"));
}
