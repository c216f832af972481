/**
 * The status below everything else: made from events, redrawn when it has changed, and no oftener for
 * progress than anybody can see, however many clients there are.
 */
import type { TransferEvent } from "../events.ts";
import { after, type Instant } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { advanceClients, type ClientsView, initialClients } from "./clients_view.ts";
import { render } from "./render.ts";
import { renderClients } from "./render_clients.ts";
import type { Terminal } from "./terminal.ts";
import { advanceView, initialView, type Role, type View } from "./view.ts";

/** Least time between two redraws that only show more progress, ms. */
export const REDRAW_INTERVAL_MS = 100;

/** What is shown. */
export interface StatusOptions {
  readonly role: Role;
  /** Whether there can be several clients at a time. */
  readonly isForMany: boolean;
  /** Whether only those are let in whose reply code was pasted. */
  readonly isPrivate: boolean;
  readonly clock: Clock;
}

/** The status of one run. */
export class Status {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  /** Of many clients, or of one. */
  #clients: ClientsView | undefined;
  #view: View;
  #drawnAt: Instant | undefined;
  #cancelTimer: (() => void) | undefined;

  /** @param terminal Where it is shown. */
  constructor(terminal: Terminal, options: StatusOptions) {
    const { role, isForMany, isPrivate, clock } = options;
    this.#terminal = terminal;
    this.#clock = clock;
    this.#clients = isForMany ? initialClients({ isPrivate }) : undefined;
    this.#view = initialView(role, { isPrivate });
  }

  /** Whether nothing more will happen. */
  get isOver(): boolean {
    return this.#clients?.isOver ?? this.#view.phase.name === "over";
  }

  /** Takes what has happened; shown by {@linkcode show}. */
  handleEvent(event: TransferEvent): void {
    if (this.#clients === undefined) this.#view = advanceView(this.#view, event);
    else this.#clients = advanceClients(this.#clients, event);
    if (!this.isOver) return;
    this.#stop();
    this.#terminal.clearStatus();
  }

  /** Shows it; after an `event` of progress only when some time has passed since. */
  show(event?: TransferEvent): void {
    if (this.isOver || !this.#terminal.redraws) return;
    // One client alone tells of its progress no oftener itself.
    const isOften = event?.event === "progress" && (this.#clients?.clients.length ?? 0) > 1;
    const due = this.#drawnAt === undefined ? undefined : after(this.#drawnAt, REDRAW_INTERVAL_MS);
    if (!isOften || due === undefined || this.#clock.now() >= due) return this.#draw();
    this.#cancelTimer ??= this.#clock.setTimer(due, () => this.#draw());
  }

  #draw(): void {
    this.#stop();
    this.#drawnAt = this.#clock.now();
    const style = { color: this.#terminal.errorColor };
    this.#terminal.setStatus((columns, rows) => {
      const lines = this.#clients === undefined
        ? render(this.#view, columns, style)
        : renderClients(this.#clients, { columns, rows }, style);
      return lines.join("\n");
    });
  }

  #stop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }
}
