/**
 * Names that nobody can tell apart by looking at them. The table of letters that look alike is large:
 * it is loaded by what gives names, and by nothing that only reads them.
 */
import unhomoglyph from "npm:unhomoglyph@1.0.6";

/**
 * Whether two names could be taken for each other: by letters of other scripts, capitals, accents,
 * spaces and punctuation. A warning and no more: what looks alike depends on the font.
 *
 * @see {@link https://www.unicode.org/reports/tr39/#Confusable_Detection | UTS 39, section 4}
 */
export function looksLike(name: string, other: string): boolean {
  // As written, where I looks like l, and in small letters, where it is i.
  return skeleton(name) === skeleton(other) ||
    skeleton(name.toLowerCase()) === skeleton(other.toLowerCase());
}

function skeleton(name: string): string {
  const bare = name.normalize("NFKD").replaceAll(/[\p{M}\p{Z}\p{P}]/gu, "");
  // Twice, as what one letter stands for may look like yet another.
  return unhomoglyph(unhomoglyph(bare).normalize("NFKD")).toLowerCase();
}
