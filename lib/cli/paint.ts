/** Colour for lines that are made without knowing where they go. */

/** Whether lines may have colour. */
export interface Style {
  readonly color: boolean;
}

/** SGR parameters of the few looks we use (ECMA-48, section 8.3.117). */
const LOOKS = { bold: "1", dim: "2", red: "1;31", green: "32", yellow: "33", cyan: "36" } as const;

/** `text` in a look, or as it is without colour. */
export function paint(text: string, look: keyof typeof LOOKS, style: Style): string {
  return style.color && text !== "" ? `\x1b[${LOOKS[look]}m${text}\x1b[0m` : text;
}
