/** Why a receive could not come to its files, in the words that its person is told. */
import { TransferError } from "../errors.ts";
import type { OfferEvent } from "../events.ts";
import type { PairOutlook } from "../nat/pair_outlook.ts";

/** Why an offer cannot go into one stream, which holds one file; undefined when it can. */
export function findOutputProblem(offer: Omit<OfferEvent, "session">): TransferError | undefined {
  if (offer.items === 1 && offer.files === 1) return undefined;
  const { items, files } = offer;
  return new TransferError(
    "usage",
    `Cannot write what is offered into one stream: ${items} items, ${files} of them files`,
    { hint: "Receive it into a folder, or have one file sent" },
  );
}

/** Nobody came for as long as the person wanted to wait. */
export function noAnswer(
  addresses: readonly string[],
  how: {
    readonly timeoutMs: number;
    readonly impostors: number;
    readonly hasShownReply: boolean;
  },
): TransferError {
  const where = addresses.join(", ");
  if (how.impostors > 0) {
    return new TransferError(
      "authentication_failed",
      `Cannot connect: ${where} answered, but without the key this code stands for`,
    );
  }
  const seconds = Math.round(how.timeoutMs / 1000);
  return new TransferError("timed_out", `No answer from ${where} within ${seconds} s`, {
    hint: how.hasShownReply
      ? "Check that the share still runs, and paste the reply code there: it is shown anew each time"
      : "Check that the other side still runs and that no firewall between you drops UDP",
  });
}

/** A sharer that was lost is not back after that time. */
export function notBack(addresses: readonly string[], timeoutMs: number): TransferError {
  const seconds = Math.round(timeoutMs / 1000);
  const message = `Connection lost, and no answer from ${addresses.join(", ")} within ${seconds} s`;
  return new TransferError("path_lost", message, {
    hint: "Run it again when the other side is back, with its new code if it was started again: " +
      "what has arrived is kept",
  });
}

/** Where no try can succeed. */
export function cannotMeet(outlook: PairOutlook): TransferError {
  return new TransferError(
    "peer_unreachable",
    "Cannot connect: these two networks cannot meet without help",
    outlook.advice ? { hint: outlook.advice.text } : {},
  );
}
