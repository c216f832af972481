/** Reads the tables of a Markdown document, as far as comparing them with code needs it. */

/** A row, by the column's heading in lower case; cells without their backticks and emphasis. */
export type TableRow = ReadonlyMap<string, string>;

/** The rows of every table that has all of `columns` among its headings. */
export function tableRows(markdown: string, columns: readonly string[]): TableRow[] {
  const rows: TableRow[] = [];
  const lines = markdown.split(/\r?\n/);
  for (let i = 0; i + 1 < lines.length; i++) {
    if (!isTableLine(lines[i]!) || !/^\s*\|[\s:|-]+\|\s*$/.test(lines[i + 1]!)) continue;
    const headings = cells(lines[i]!).map((heading) => heading.toLowerCase());
    const wanted = columns.every((column) => headings.includes(column));
    for (i += 2; i < lines.length && isTableLine(lines[i]!); i++) {
      if (!wanted) continue;
      const values = cells(lines[i]!);
      rows.push(new Map(headings.map((heading, column) => [heading, values[column] ?? ""])));
    }
  }
  return rows;
}

function isTableLine(line: string): boolean {
  return /^\s*\|.*\|\s*$/.test(line);
}

function cells(line: string): string[] {
  // A bar inside a cell is written \|.
  return line.trim().slice(1, -1).split(/(?<!\\)\|/).map((cell) =>
    cell.trim().replaceAll("\\|", "|").replaceAll(/^[`*]+|[`*]+$/g, "")
  );
}

/**
 * A number as people write it in a table: `16,384`, `2^26`, `2^48 − 1`, `9/8`, `0.5`; undefined when
 * it is none.
 */
export function parseTableNumber(cell: string): number | undefined {
  const text = cell.replaceAll(/[,_\s]/g, "").replaceAll("−", "-");
  const match =
    /^(?<base>-?\d+(?:\.\d+)?)(?:\^(?<exponent>\d+))?(?:\/(?<divisor>\d+))?(?<less>-\d+)?$/
      .exec(text);
  if (match === null) return undefined;
  const { base, exponent = "1", divisor = "1", less = "0" } = match.groups!;
  return Number(base) ** Number(exponent) / Number(divisor) + Number(less);
}
