/**
 * Texts that drive a terminal, hide, or look like something else: what a peer may put into names,
 * reasons and addresses. Each ends in {@linkcode MARK}, so that a piece of one can be found again.
 */

/** Behind each text; nothing else that is shown has it. */
export const MARK = "Qz7";

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Single characters, of every kind that is to be escaped. */
const CHARACTERS = [
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  ...[0xad, 0x600, 0x61c, 0x6dd, 0x70f, 0x180e, 0xfeff, 0xfff9, 0xfffa, 0xfffb],
  ...range(0x200b, 0x200f),
  ...range(0x2028, 0x202e),
  ...range(0x2060, 0x206f),
  ...[0xe000, 0xf8ff, 0x378, 0xfdd0, 0xffff, 0x1fffe, 0x110bd, 0x1d173, 0xe0001, 0xe0041, 0xe007f],
  ...[0xf0000, 0x10ffff],
].map((code) => String.fromCodePoint(code));

const SEQUENCES = [
  // Colours, the cursor, the whole screen, another screen, reset.
  ...[
    "\x1b[31m",
    "\x1b[1A\x1b[2K",
    "\x1b[2J\x1b[H",
    "\x1b[?1049h",
    "\x1bc",
    "\x1b[999D",
    "\x1b[?25l",
  ],
  // Titles, links, the clipboard, files, notifications, what a terminal answers into the input.
  ...["\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\", "\x1b]52;c;ZXZpbA==\x07"],
  ...[
    "\x1b]1337;File=name=eA==:eA==\x07",
    "\x1b]9;note\x07",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[21t",
    "\x05",
  ],
  ...[
    '\x1bP$q"p\x1b\\',
    "\x1b_Gf=100;\x1b\\",
    "\x1b^x\x1b\\",
    "\x1bX\x1b\\",
    "\x1b(0",
    "\x0e",
    "\x0f",
  ],
  // The same with 8-bit controls.
  ...["\x9b31m", "\x9d0;title\x9c", "\x90q\x9c", "\x9f\x9c", "\x8d", "\x84"],
  // Lines that look like ours.
  ...[
    "\nDone: all of it",
    "\r\x1b[KReceived",
    "\r\nWarning: none",
    "\x0bx",
    "\x0cx",
    "\x85x",
    "\b\b\b\bx",
  ],
  ...["\u2028Done", "a\u202egnp.exe", "\u2066x\u2069", "\ud800", "\udfff\ud800", "x\u200d\u200cx"],
];

/** All of them. */
export const HOSTILE_TEXTS: readonly string[] = [...CHARACTERS, ...SEQUENCES].map((text) =>
  `${text}${MARK}`
);

/** What must be on no screen and in no log, apart from what this program writes itself. */
export const DANGEROUS: RegExp = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cn}]/u;
