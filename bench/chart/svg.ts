/** Pieces of SVG as text: escaped, rounded, and readable on light and dark pages. Pure. */

/** Attributes of an element; numbers are rounded to a tenth. */
export type Attributes = Readonly<Record<string, string | number>>;

/** One element with text or other elements in it. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const words = Object.entries(attributes).map(([key, value]) =>
    ` ${key}="${typeof value === "number" ? round(value) : escapeText(value)}"`
  );
  return content === ""
    ? `<${name}${words.join("")}/>`
    : `<${name}${words.join("")}>${content}</${name}>`;
}

/** A line of text; `anchor` is where `x` is: at its start, middle or end. */
export function text(
  x: number,
  y: number,
  content: string,
  anchor: "start" | "middle" | "end" = "start",
  kind = "",
): string {
  return element("text", {
    x,
    y,
    ...(anchor === "start" ? {} : { "text-anchor": anchor }),
    ...(kind === "" ? {} : { class: kind }),
  }, escapeText(content));
}

/** A number with at most one digit behind the point. */
export function round(value: number): string {
  return `${Math.round(value * 10) / 10}`;
}

/** Text as it may stand between tags and in attributes. */
export function escapeText(value: string): string {
  return value.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** Colours by what they mean; a page's own background shows through. */
const STYLE = `
text{font:12px system-ui,sans-serif;fill:#1f2328}
.title{font-weight:600;font-size:13px}
.quiet{fill:#59636e}
.grid{stroke:#d1d9e0}
.ours{fill:#0969da}.other{fill:#8c959f}.ceiling{fill:#c8d1da}
.line{fill:none;stroke:#0969da;stroke-width:1.5;stroke-linejoin:round}
.loss{stroke:#cf222e;stroke-width:2}
@media(prefers-color-scheme:dark){
text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#3d444d}
.ours{fill:#4493f8}.other{fill:#7d8590}.ceiling{fill:#444c56}
.line{stroke:#4493f8}.loss{stroke:#f85149}}
`.trim().replaceAll("\n", "");

/** A whole picture. */
export function picture(
  width: number,
  height: number,
  description: string,
  parts: readonly string[],
): string {
  const content = [
    `<title>${escapeText(description)}</title>`,
    `<style>${STYLE}</style>`,
    ...parts,
  ];
  return element("svg", {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: "img",
  }, `\n${content.join("\n")}\n`) + "\n";
}

/** Round values from 0 to the first at or above `largest`, about `count` of them; from 0 to 1 for 0. */
export function ticks(largest: number, count: number): number[] {
  if (largest <= 0) return [0, 1];
  const rough = largest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough * 0.999)!;
  const steps = Math.ceil(largest / step - 0.001);
  return Array.from({ length: Math.max(1, steps) + 1 }, (_, index) => index * step);
}
