/**
 * Control sequences that change rows above the cursor and leave its own row as it is, with what
 * somebody types there and has not ended: nobody but the terminal knows that, which is in no mode to
 * tell. Those of the VT100 and VT102: DECSC and DECRC, IND, CUU and CUD, EL, IL and DL.
 *
 * ```
 *  above, which stays          above, which stays
 *  status                      a line that is new
 *  li█        insertAbove ──▶  status
 *                              li█
 * ```
 */

const SAVE_CURSOR = "\x1b7";
const RESTORE_CURSOR = "\x1b8";
/** One down in the same column; the screen scrolls when that was its last row. */
const DOWN_OR_SCROLL = "\x1bD";
const ERASE_ROW = "\x1b[K";

/** `count` rows up or down, lines inserted or deleted; nothing for none. */
function times(count: number, final: "A" | "B" | "L" | "M"): string {
  return count > 0 ? `\x1b[${count}${final}` : "";
}

/** Makes sure that there are `count` rows below that of the cursor. */
function makeRoom(count: number): string {
  return count > 0 ? DOWN_OR_SCROLL.repeat(count) + times(count, "A") : "";
}

/**
 * What comes before and behind new rows above those that are redrawn.
 *
 * @param count How many there are to be; written between the two, with a line feed between them and
 * none at the end.
 * @param rowsAbove Rows between them and that of the cursor.
 */
export function insertAbove(
  count: number,
  rowsAbove: number,
): { readonly before: string; readonly behind: string } {
  return {
    before: `${makeRoom(count)}${SAVE_CURSOR}${times(rowsAbove, "A")}\r${times(count, "L")}`,
    behind: RESTORE_CURSOR + times(count, "B"),
  };
}

/**
 * Writes other rows in place of those right above the cursor.
 *
 * @param rows How many there are.
 * @param lines What is to be there, one at least, each within one row.
 */
export function replaceAbove(rows: number, lines: readonly string[]): string {
  const more = lines.length - rows;
  const { before, behind } = insertAbove(Math.max(0, more), rows);
  const text = lines.map((line) => line + ERASE_ROW).join("\n");
  if (more >= 0) return before + text + behind;
  return `${before}${text}\n${times(-more, "M")}${behind}${times(-more, "A")}`;
}
