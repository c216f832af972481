/** Mutated input for every parser. */
import { fuzz } from "../../tests/fuzz/_engine.ts";
import { corpusOf, TARGETS } from "../../tests/fuzz/_targets.ts";
import { renderTable } from "../document_section.ts";
import { formatCount, type Section } from "./section.ts";

/**
 * Runs all parsers.
 *
 * @param seconds For each.
 * @throws {Error} For the first input that does harm; says how to replay it.
 */
export async function measureFuzzing(seconds: number, seed: number): Promise<Section> {
  const rows: string[][] = [];
  let inputs = 0;
  let outcomes = 0;
  let slowestMs = 0;
  for (const target of TARGETS) {
    const result = await fuzz(target, corpusOf(target), { seed, seconds });
    inputs += result.inputs;
    outcomes += result.found.size;
    slowestMs = Math.max(slowestMs, result.slowestMs);
    rows.push(rowOf(target.name, result.inputs, result.found.size, result.slowestMs));
  }
  rows.push(rowOf(`all ${TARGETS.length}`, inputs, outcomes, slowestMs));
  const headings = ["parser", "inputs", "different outcomes", "slowest, ms"];
  return { text: renderTable(headings, rows), problems: [] };
}

function rowOf(name: string, inputs: number, outcomes: number, slowestMs: number): string[] {
  return [name, formatCount(inputs), formatCount(outcomes), slowestMs.toFixed(1)];
}
