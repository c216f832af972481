/**
 * Goal: what stands on the terminal is a QR code that others read back as the code.
 * Method: the lines are turned into pixels as a terminal would draw them, and given to a reader that
 * shares no code with the writer.
 */
import assert from "node:assert/strict";
import jsqr from "jsqr";
import { renderQr } from "../../../lib/cli/qr.ts";
import { parseSocketAddress } from "../../../lib/nat/address.ts";
import { encodeShareCode } from "../../../lib/rendezvous/share_code.ts";

const BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m";
const RESET = "\x1b[0m";
const PIXELS_PER_MODULE = 4;

/** Every address the code of this many characters needs, in front of a fixed `t`. */
function codeOf(...addresses: string[]): string {
  return encodeShareCode({
    t: new Uint8Array(16).map((_, index) => index * 16 + 5),
    mappingClass: "unknown",
    candidates: addresses.map((text) => ({ kind: "host", address: parseSocketAddress(text)! })),
  });
}

/** The lines between the colour sequences that each must have. */
function renderInColor(code: string): string[] {
  return renderQr(code).map((line) => {
    assert.ok(line.startsWith(BLACK_ON_WHITE) && line.endsWith(RESET));
    return line.slice(BLACK_ON_WHITE.length, -RESET.length);
  });
}

/** Lines of half blocks as a picture; `foreground` and `background` are grey values. */
function rasterise(lines: readonly string[], foreground: number, background: number) {
  const columns = lines[0]!.length;
  const width = columns * PIXELS_PER_MODULE;
  const height = lines.length * 2 * PIXELS_PER_MODULE;
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    const moduleRow = Math.floor(y / PIXELS_PER_MODULE);
    const filled = moduleRow % 2 === 0 ? "▀█" : "▄█";
    const line = lines[Math.floor(moduleRow / 2)]!;
    for (let x = 0; x < width; x++) {
      const grey = filled.includes(line[Math.floor(x / PIXELS_PER_MODULE)]!)
        ? foreground
        : background;
      pixels.set([grey, grey, grey, 255], (y * width + x) * 4);
    }
  }
  return { pixels, width, height };
}

function read(lines: readonly string[], foreground: number, background: number) {
  const { pixels, width, height } = rasterise(lines, foreground, background);
  return jsqr.default(pixels, width, height, { inversionAttempts: "dontInvert" });
}

const CODES: [string, number, number][] = [
  [codeOf("203.0.113.5:40000"), 49, 37],
  [codeOf("203.0.113.5:40000", "192.168.1.20:40000"), 54, 37],
  [codeOf("203.0.113.5:40000", "192.168.1.20:40000", "[2001:db8::5]:40000"), 81, 41],
  [codeOf("[2001:db8::1]:1", "[2001:db8::1]:2", "[2001:db8::1]:3", "[2001:db8::1]:4"), 159, 53],
];

Deno.test("renderQr draws codes that a QR reader reads back, in alphanumeric mode", () => {
  for (const [code, characters, columns] of CODES) {
    assert.equal(code.length, characters);
    const lines = renderInColor(code);
    assert.ok(lines.every((line) => line.length === columns), `${characters} characters`);
    const found = read(lines, 0, 255);
    assert.equal(found?.data, code.toUpperCase());
    assert.deepEqual(found.chunks.map((chunk) => chunk.type), ["alphanumeric"]);
  }
});

Deno.test("renderQr without colours reads back on a dark terminal", () => {
  for (const [code] of CODES) {
    const lines = renderQr(code, { ansi: false });
    assert.match(lines.join(""), /^[ ▀▄█]+$/);
    assert.equal(read(lines, 230, 20)?.data, code.toUpperCase());
  }
});

Deno.test("renderQr leaves a light border of four modules", () => {
  const lines = renderInColor(CODES[1]![0]);
  assert.equal(lines.length, 19);
  for (const line of [...lines.slice(0, 2), ...lines.slice(-2)]) {
    assert.equal(line.trim(), "", "two lines of nothing above and below");
  }
  for (const line of lines) assert.match(line, /^ {4}.* {4}$/);
});

Deno.test("renderQr draws the same for upper and lower case", () => {
  const code = CODES[0]![0];
  assert.deepEqual(
    renderQr(code.toUpperCase(), { ansi: false }),
    renderQr(code, { ansi: false }),
  );
});
