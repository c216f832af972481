/**
 * Finds the code of a share on the local network: a person chooses from the list of what is there,
 * which goes on growing, or gives a code; or the one share is taken that has a certain name.
 */
import { TransferError } from "../errors.ts";
import { shareLabel } from "../lan/service_names.ts";
import type { LanShare, LanShareEvent } from "../local_network.ts";
import { after } from "../time.ts";
import { escapeText } from "../transfer/escape_text.ts";
import type { CommandContext, LocalNetwork } from "./context.ts";
import { LanList, shareText } from "./lan_list.ts";

/** What is asked where there may be a list. */
const QUESTION = "Number or code: ";

/**
 * How long shares are looked for by name, ms: the whole time, so that a second one of that name is
 * seen. Most answer within 0.2 s; a share that has just started, or was asked a moment ago, within 2.
 */
export const LOOK_MS = 4000;

/** Shares that an error names. */
const MAX_NAMED = 8;

/**
 * Asks the person for a share of the list, or a code.
 *
 * @returns The code of the share that was chosen, or what was typed; undefined at the end of the
 *   input, when the signal came, and for Enter alone while nothing is listed.
 */
export async function askNumberOrCode(
  network: LocalNetwork,
  { terminal, signal }: Pick<CommandContext, "terminal" | "signal">,
): Promise<string | undefined> {
  const list = new LanList();
  const looking = new AbortController();
  const reading = readShares(
    network.sharesOnLan({ signal: AbortSignal.any([signal, looking.signal]) }),
    (event) => {
      const lines = list.handle(event);
      if (lines.length > 0) terminal.note(...lines);
    },
  ).catch((error) => {
    // Whoever has a code needs no list.
    if (!(error instanceof TransferError)) throw error;
    terminal.note(`No shares can be listed: ${error.message}`);
  });
  try {
    for (;;) {
      const line = await terminal.ask(QUESTION, signal, { takesTypedAhead: true });
      if (line === undefined) return undefined;
      const answer = line.trim();
      // Enter alone is no answer while there is something to choose.
      if (answer === "" && list.shares.length === 0) return undefined;
      if (answer === "") continue;
      if (!/^\d{1,3}$/.test(answer)) return answer;
      const chosen = list.find(Number(answer));
      if (chosen.kind === "share") return chosen.share.code;
      terminal.note(
        chosen.kind === "none"
          ? `There is no ${answer} in the list.`
          : `${escapeText(chosen.share.name)} is gone.`,
      );
    }
  } finally {
    looking.abort();
    await reading;
  }
}

/**
 * Looks for a while, and takes the one share that is called so.
 *
 * @param onShares Told of all that is there, before anything else.
 * @returns Its code; undefined when the signal came.
 * @throws {TransferError} `permission_missing`; `peer_unreachable` when there is none of that name, or
 *   more than one.
 */
export async function findNamed(
  name: string,
  network: LocalNetwork,
  { clock, signal }: Pick<CommandContext, "clock" | "signal">,
  onShares: (shares: readonly LanShare[]) => void,
): Promise<string | undefined> {
  const list = new LanList();
  const enough = new AbortController();
  const cancel = clock.setTimer(after(clock.now(), LOOK_MS), () => enough.abort());
  try {
    const ended = AbortSignal.any([signal, enough.signal]);
    await readShares(network.sharesOnLan({ signal: ended }), (event) => void list.handle(event));
  } finally {
    cancel();
  }
  if (signal.aborted) return undefined;
  const { shares } = list;
  onShares(shares);
  const label = shareLabel(name);
  const [share, ...others] = shares.filter((share) => share.name === label);
  if (share === undefined) throw notFound(label, shares);
  if (others.length > 0) throw ambiguous(label, [share, ...others]);
  return share.code;
}

async function readShares(
  events: AsyncIterable<LanShareEvent>,
  handle: (event: LanShareEvent) => void,
): Promise<void> {
  for await (const event of events) handle(event);
}

function notFound(name: string, shares: readonly LanShare[]): TransferError {
  const named = shares.slice(0, MAX_NAMED).map(shareText);
  if (shares.length > MAX_NAMED) named.push(`and ${shares.length - MAX_NAMED} more`);
  return new TransferError(
    "peer_unreachable",
    `Cannot find a share called ${escapeText(name)} on the local network`,
    {
      hint: named.length === 0
        ? "No share was found there: see that it runs with --lan in the same network, or use its code"
        : `There are: ${named.join("; ")}`,
    },
  );
}

function ambiguous(name: string, shares: readonly LanShare[]): TransferError {
  const where = shares.map(({ addresses }) => addresses[0]).join(" and ");
  return new TransferError(
    "peer_unreachable",
    `Cannot tell which share is meant: ${escapeText(name)} is announced from ${where}`,
    { hint: "Ask the other side for its code, and use that" },
  );
}
