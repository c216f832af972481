/**
 * How many spray probes a host gets from this program, whatever the reason: many codes that name one
 * host, or one session whose path dies again and again, cost it no more than one code would.
 */
import { PunchBudget } from "../nat/punch/budget.ts";
import { SPRAY_PROBES, SPRAY_WINDOW_MS } from "../nat/punch/limits.ts";

/** Hosts that are remembered; the one that was asked for longest ago is forgotten first. */
const MAX_HOSTS = 64;

/** The budgets of one share or receive. */
export class SprayBudgets {
  readonly #budgets = new Map<string, PunchBudget>();

  /** The budget of a host. */
  readonly of = (host: string): PunchBudget => {
    const budget = this.#budgets.get(host) ?? new PunchBudget(SPRAY_PROBES, SPRAY_WINDOW_MS);
    this.#budgets.delete(host);
    this.#budgets.set(host, budget);
    if (this.#budgets.size > MAX_HOSTS) {
      this.#budgets.delete(this.#budgets.keys().next().value!);
    }
    return budget;
  };
}
