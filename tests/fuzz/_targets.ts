/** Every parser that is fuzzed, with the inputs that are kept for it. */
import corpus from "./corpus/corpus.json" with { type: "json" };
import { CODE_TARGETS } from "./_code_targets.ts";
import type { Corpus, FuzzTarget } from "./_engine.ts";
import { IDENTITY_TARGETS } from "./_identity_targets.ts";
import { JOURNAL_TARGETS } from "./_journal_targets.ts";
import { LAN_TARGETS } from "./_lan_targets.ts";
import { MANIFEST_TARGETS } from "./_manifest_targets.ts";
import { PROTOCOL_TARGETS } from "./_protocol_targets.ts";
import { ROUTER_TARGETS } from "./_router_targets.ts";
import { TRANSFER_TARGETS } from "./_transfer_targets.ts";

/** All of them, those before authentication first. */
export const TARGETS: readonly FuzzTarget[] = [
  ...PROTOCOL_TARGETS,
  ...CODE_TARGETS,
  ...IDENTITY_TARGETS,
  ...ROUTER_TARGETS,
  ...LAN_TARGETS,
  ...TRANSFER_TARGETS,
  ...JOURNAL_TARGETS,
  ...MANIFEST_TARGETS,
];

/** The kept inputs of a target: one for each way in which an input has ended so far. */
export function corpusOf(target: FuzzTarget): Corpus {
  return (corpus as Readonly<Record<string, Corpus>>)[target.name] ?? {};
}
