/**
 * A code as a QR code on the terminal, for phones and cameras. The upper-case form is drawn, since
 * QR packs two upper-case letters or digits into 11 bits where lower case takes 16.
 *
 * The QR code itself is made by the `qr` package; here it becomes text.
 */
import { encodeQR } from "npm:qr@0.7.0";

/** How {@linkcode renderQr} may draw. */
export interface QrOptions {
  /**
   * True, the default, draws black on white by ANSI colour sequences, whatever the terminal's own
   * colours are. False draws with plain characters for a dark terminal; on a light one the picture
   * is inverted, which many readers understand, but not all.
   */
  readonly ansi: boolean;
}

/** Light border that readers need around the code, in modules (ISO/IEC 18004). */
const QUIET_ZONE_MODULES = 4;

// Colours 16 and 231 are black and white of the fixed 6x6x6 cube; themes change only 0 to 15.
const BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m";
const RESET = "\x1b[0m";

/** Index: 1 when the upper half is to be filled, plus 2 for the lower one. */
const HALF_BLOCKS = " ▀▄█";

/**
 * Draws a code with half blocks, two modules to a character.
 *
 * @param code A code as text: letters and digits, in any case.
 * @returns Lines without line ends; 37 columns and 19 lines for codes of 39 to 61 characters, at
 * most 53 columns for the longest code there is. ANSI sequences do not count as columns.
 */
export function renderQr(code: string, options: QrOptions = { ansi: true }): string[] {
  const isDark = encodeQR(code.toUpperCase(), "raw", {
    ecc: "medium",
    encoding: "alphanumeric",
    border: QUIET_ZONE_MODULES,
  });
  const lines: string[] = [];
  for (let row = 0; row < isDark.length; row += 2) {
    const upper = isDark[row]!;
    const lower = isDark[row + 1];
    let line = "";
    for (const [column, isUpperDark] of upper.entries()) {
      // The height is odd: what is below the last row belongs to the border.
      const isLowerDark = lower?.[column] ?? false;
      line += HALF_BLOCKS[
        Number(isUpperDark === options.ansi) + 2 * Number(isLowerDark === options.ansi)
      ];
    }
    lines.push(options.ansi ? BLACK_ON_WHITE + line + RESET : line);
  }
  return lines;
}
