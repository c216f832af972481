/** What all clients of a share get in through: its places, and turns to be asked about. */
import type { ShareOptions } from "../options.ts";
import { Places } from "./places.ts";
import { QuestionTurns } from "./question_turns.ts";

/** What all clients of a share have in common. */
export interface ShareDoor {
  readonly places: Places;
  readonly turns: QuestionTurns;
  /** Who is asked, and who needs not be. */
  readonly options: Pick<ShareOptions, "admit" | "private">;
}

/** Makes the door of a share. */
export function openDoor(
  options: ShareDoor["options"] & { readonly maxClients: number; readonly readLimit: number },
): ShareDoor {
  const { maxClients, readLimit } = options;
  const places: Places = new Places({
    atOnce: maxClients,
    reads: readLimit,
    onFree: () => turns.update(),
  });
  const turns: QuestionTurns = new QuestionTurns(() => places.free);
  return { places, turns, options };
}
