/** How fast tools move files over paths, as bars: one group for each path. Pure. */
import { element, picture, text } from "./svg.ts";

/** One bar. */
export interface GoodputBar {
  readonly label: string;
  /** As a part of {@linkcode GoodputGroup.full}. */
  readonly value: number;
  /** What stands beside it. */
  readonly note: string;
  readonly kind: "ours" | "other" | "ceiling";
}

/** The bars of one path. */
export interface GoodputGroup {
  readonly title: string;
  /** The value of a bar of full length. */
  readonly full: number;
  readonly bars: readonly GoodputBar[];
}

const WIDTH = 760;
const MARGIN = 4;
const LABEL_WIDTH = 270;
const BAR_WIDTH = 390;
const ROW = 18;
const TITLE_ROW = 30;

/** Draws them, one group under the other. */
export function drawGoodput(groups: readonly GoodputGroup[]): string {
  const parts: string[] = [];
  let y = 0;
  for (const { title, full, bars } of groups) {
    parts.push(text(MARGIN, y + 20, title, "start", "title"));
    y += TITLE_ROW;
    const bottom = y + bars.length * ROW;
    for (const share of [0, 0.5, 1]) {
      const x = LABEL_WIDTH + share * BAR_WIDTH;
      parts.push(element("line", { x1: x, x2: x, y1: y, y2: bottom, class: "grid" }));
    }
    for (const { label, value, note, kind } of bars) {
      const width = Math.max(1, Math.min(1, value / full) * BAR_WIDTH);
      parts.push(text(LABEL_WIDTH - 8, y + 13, label, "end"));
      parts.push(element("rect", { x: LABEL_WIDTH, y: y + 3, width, height: 12, class: kind }));
      parts.push(text(LABEL_WIDTH + width + 6, y + 13, note, "start", "quiet"));
      y += ROW;
    }
    y += 8;
  }
  return picture(WIDTH, y, "Goodput by tool and path", parts);
}
