/** A local network in the test's hands. */
import type { LocalNetwork } from "../../../lib/cli/context.ts";
import { TransferError } from "../../../lib/errors.ts";
import type {
  LanAnnouncementOptions,
  LanShare,
  LanShareEvent,
} from "../../../lib/local_network.ts";

/** A share that somebody announces. */
export function lanShare(id: string, name: string, ...addresses: string[]): LanShare {
  return { id, name, code: `p2p1q${id}`, addresses };
}

/** What is said on the network. */
export class FakeLan implements LocalNetwork {
  /** Codes and names that were announced, one after the other. */
  readonly said: string[] = [];
  /** Options of the last announcement. */
  announced: LanAnnouncementOptions | undefined;
  /** What is missing, if anything. */
  problem: TransferError | undefined;
  /** Those who look for shares now. */
  readonly lookers = new Set<(event: LanShareEvent) => void>();
  /** What is told to everybody who begins to look. */
  readonly there: LanShare[] = [];

  readonly lanProblem = (): TransferError | undefined => this.problem;

  readonly announceOnLan: LocalNetwork["announceOnLan"] = (options) => {
    if (this.problem !== undefined) return Promise.reject(this.problem);
    this.announced = options;
    this.said.push(`${options.name}: ${options.code}`);
    const close = (): Promise<void> => {
      this.said.push("goodbye");
      return Promise.resolve();
    };
    return Promise.resolve({
      name: options.name,
      update: (code) => {
        if (!this.said.at(-1)!.endsWith(`: ${code}`)) this.said.push(`update: ${code}`);
      },
      close,
      [Symbol.asyncDispose]: close,
    });
  };

  readonly sharesOnLan: LocalNetwork["sharesOnLan"] = ({ signal } = {}) => this.#look(signal!);

  /** Something happens on the network. */
  happen(type: LanShareEvent["type"], share: LanShare): void {
    for (const tell of this.lookers) tell({ type, share });
  }

  async *#look(signal: AbortSignal): AsyncGenerator<LanShareEvent, void, void> {
    if (this.problem !== undefined) throw this.problem;
    const events: LanShareEvent[] = this.there.map((share) => ({ type: "found", share }));
    let wake = (): void => {};
    const tell = (event: LanShareEvent): void => {
      events.push(event);
      wake();
    };
    this.lookers.add(tell);
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted) {
      const event = events.shift();
      if (event !== undefined) yield event;
      else await new Promise<void>((resolve) => wake = resolve);
    }
    this.lookers.delete(tell);
  }
}

/** What a missing permission is. */
export const LAN_DENIED = new TransferError(
  "permission_missing",
  "Cannot use the local network: a permission is missing",
  { hint: "Run again with --allow-sys=networkInterfaces" },
);
