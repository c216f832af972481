/**
 * The question about what is here already and differs: once for all, or one by one. Whoever answers
 * nothing keeps what is here.
 */
import type { OfferEvent } from "../events.ts";
import type { DifferingItem, OverwriteChooser, OverwritePolicy } from "../options.ts";
import { escapeText } from "../transfer/escape_text.ts";
import { formatBytes } from "./format.ts";
import { askChoice } from "./questions.ts";
import type { Terminal } from "./terminal.ts";
import { cutStart } from "./text_width.ts";

/** Neither y nor n: who means to say no to all of it must not replace anything. */
const POLICIES: ReadonlyMap<string, OverwritePolicy> = new Map([
  ["k", "never"],
  ["b", "rename"],
  ["u", "newer"],
  ["r", "always"],
]);

const LEGEND = [
  "  k  keep what is here",
  "  b  keep both: the other becomes name (2)",
  "  u  update: replace what is older here",
  "  r  replace what is here",
];

const ONE_BY_ONE = "  o  decide one by one";
const FOR_THE_REST = "  A capital letter answers for the rest too.";

/** An answer, and whether it is one for all that follow. */
interface ItemAnswer {
  readonly policy: OverwritePolicy;
  readonly isForRest: boolean;
}

const ITEM_ANSWERS: ReadonlyMap<string, ItemAnswer> = new Map(
  [false, true].flatMap((isForRest) =>
    Array.from(POLICIES, ([letter, policy]): [string, ItemAnswer] => [
      isForRest ? letter.toUpperCase() : letter,
      { policy, isForRest },
    ])
  ),
);

/** Asks what to do with all that differs. */
export async function askOverwrite(
  terminal: Terminal,
  offer: OfferEvent,
  signal: AbortSignal,
): Promise<OverwritePolicy | OverwriteChooser> {
  const isOne = offer.differItems === 1;
  const what = isOne
    ? "1 file is here already and differs."
    : `${offer.differItems} files are here already and differ.`;
  terminal.note(what, ...LEGEND, ...(isOne ? [] : [ONE_BY_ONE]));
  const answers = new Map<string, OverwritePolicy | "one_by_one">(POLICIES);
  if (!isOne) answers.set("o", "one_by_one");
  const answer = await askChoice(terminal, {
    text: isOne ? "What to do with it?" : "What to do with them?",
    answers,
    signal,
  });
  return answer === "one_by_one" ? itemChooser(terminal, signal) : answer ?? "never";
}

/** Asks for each, until an answer is one for the rest. */
function itemChooser(terminal: Terminal, signal: AbortSignal): OverwriteChooser {
  let forRest: OverwritePolicy | undefined;
  let isFirst = true;
  return async (item) => {
    if (forRest !== undefined) return forRest;
    terminal.note(...(isFirst ? [FOR_THE_REST] : []), ...itemLines(item, terminal.columns));
    isFirst = false;
    const answer = await askChoice(terminal, {
      text: "Keep, both, update, replace?",
      answers: ITEM_ANSWERS,
      signal,
    });
    // Without an answer nothing more is asked either.
    if (answer === undefined || answer.isForRest) forRest = answer?.policy ?? "never";
    return answer?.policy ?? "never";
  };
}

/** What it is called, and how the two differ. */
function itemLines(item: DifferingItem, columns: number): string[] {
  const { path, sizeBytes, mtimeMs, here } = item;
  const age = mtimeMs > here.mtimeMs ? "newer" : mtimeMs < here.mtimeMs ? "older" : "as old";
  const size = sizeBytes === undefined ? "" : `${formatBytes(sizeBytes)} and `;
  const own = here.kind === "symlink" ? "a link" : formatBytes(here.sizeBytes);
  return [
    cutStart(escapeText(path), columns),
    `  the other is ${size}${age}, what is here is ${own}`,
  ];
}
