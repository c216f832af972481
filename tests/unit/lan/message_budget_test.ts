import assert from "node:assert/strict";
import {
  MAX_COUNTED_SOURCES,
  MESSAGE_BURST,
  MESSAGES_PER_SECOND,
  SOURCE_MESSAGE_BURST,
  SOURCE_MESSAGES_PER_SECOND,
} from "../../../lib/lan/limits.ts";
import { MessageBudget } from "../../../lib/lan/message_budget.ts";
import { instant } from "../../../lib/time.ts";

function taken(budget: MessageBudget, atMs: number, hosts: readonly string[]): number {
  return hosts.filter((host) => budget.take(instant(atMs), host)).length;
}

Deno.test("MessageBudget bounds what one neighbour takes, and leaves the rest to others [LAN-1]", () => {
  const budget = new MessageBudget(instant(0));
  assert.equal(
    taken(budget, 0, Array.from({ length: 1000 }, () => "10.0.0.66")),
    SOURCE_MESSAGE_BURST,
  );
  assert.equal(taken(budget, 0, ["10.0.0.1"]), 1);
  const later = taken(budget, 1000, Array.from({ length: 1000 }, () => "10.0.0.66"));
  assert.equal(later, SOURCE_MESSAGES_PER_SECOND);
});

Deno.test("MessageBudget bounds what all take, however many they pretend to be [LAN-1]", () => {
  const budget = new MessageBudget(instant(0));
  const hosts = Array.from({ length: 10 * MAX_COUNTED_SOURCES }, (_, index) => `fe80::${index}`);
  assert.equal(taken(budget, 0, hosts), MESSAGE_BURST);
  assert.equal(taken(budget, 1000, hosts), MESSAGES_PER_SECOND);
});
