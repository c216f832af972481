/** Parts of a Markdown document that a program writes: what stands between two comments. */

const LINE_WIDTH = 100;

/**
 * The document with the section between `<!-- NAME -->` and `<!-- /NAME -->` replaced.
 *
 * @throws {RangeError} If the document has no such section.
 */
export function replaceSection(document: string, name: string, section: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const start = document.indexOf(open);
  const end = document.indexOf(close, start);
  if (start < 0 || end < 0) throw new RangeError(`Cannot find section ${name}`);
  return `${document.slice(0, start + open.length)}\n\n${section}\n\n${document.slice(end)}`;
}

/** A table whose columns are padded as `deno fmt` would; rows as long as the heading. */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const widths = headings.map((heading, column) =>
    Math.max(3, heading.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(headings), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)]
    .join("\n");
}

/** A paragraph in lines of at most 100 characters, broken where `deno fmt` would. */
export function renderParagraph(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > LINE_WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
