/** The events of one operation, with the virtual time at which each was told. */
import type { TransferEvent } from "../../lib/events.ts";
import type { SimWorld } from "./sim_world.ts";

/** The event with a name. */
export type EventOf<Name extends TransferEvent["event"]> = Extract<
  TransferEvent,
  { readonly event: Name }
>;

/** An event, and when it was told. */
export interface ToldEvent<Event = TransferEvent> {
  readonly atMs: number;
  readonly event: Event;
}

interface Waiter {
  readonly isWanted: (told: ToldEvent) => boolean;
  readonly resolve: (told: ToldEvent) => void;
  readonly reject: (reason: Error) => void;
}

/** Reads an operation's events to the end. */
export class EventLog {
  /** All so far. */
  readonly told: ToldEvent[] = [];
  /** Resolves to the last event. */
  readonly ended: Promise<TransferEvent>;
  readonly #world: SimWorld;
  #waiters: Waiter[] = [];
  #isOver = false;

  /** Begins at once. */
  constructor(world: SimWorld, events: AsyncIterable<TransferEvent>) {
    this.#world = world;
    this.ended = this.#read(events);
  }

  /** The events with a name so far. */
  of<Name extends TransferEvent["event"]>(name: Name): EventOf<Name>[] {
    return this.told.flatMap(({ event }) => event.event === name ? [event as EventOf<Name>] : []);
  }

  /** When the first event with a name was told; undefined while there is none. */
  timeOf(name: TransferEvent["event"]): number | undefined {
    return this.told.find(({ event }) => event.event === name)?.atMs;
  }

  /**
   * The first event with a name that is wanted, of those told and those to come.
   *
   * @throws {Error} When the operation ends without one.
   */
  first<Name extends TransferEvent["event"]>(
    name: Name,
    isWanted: (event: EventOf<Name>) => boolean = () => true,
  ): Promise<ToldEvent<EventOf<Name>>> {
    const isIt = ({ event }: ToldEvent): boolean =>
      event.event === name && isWanted(event as EventOf<Name>);
    const known = this.told.find(isIt);
    if (known) return Promise.resolve(known as ToldEvent<EventOf<Name>>);
    return new Promise((resolve, reject) => {
      const missing = new Error(`There was no event ${name}`);
      if (this.#isOver) return reject(missing);
      this.#waiters.push({
        isWanted: isIt,
        resolve: (told) => resolve(told as ToldEvent<EventOf<Name>>),
        reject: () => reject(new Error(`${missing.message}: ${JSON.stringify(this.told)}`)),
      });
    });
  }

  async #read(events: AsyncIterable<TransferEvent>): Promise<TransferEvent> {
    for await (const event of events) {
      const told = { atMs: this.#world.nowMs, event };
      this.told.push(told);
      this.#waiters = this.#waiters.filter((waiter) => {
        if (!waiter.isWanted(told)) return true;
        waiter.resolve(told);
        return false;
      });
    }
    this.#isOver = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error());
    return this.told.at(-1)!.event;
  }
}
