/**
 * Goal: `deno task bench` runs, counts and writes down what it should.
 * Method: it moves small files with our program, and with others where they are installed.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { BenchRow } from "../../bench/process/row.ts";
import { TempFolder } from "../support/temp_folder.ts";

const BENCH = fileURLToPath(new URL("../../bench/process/run.ts", import.meta.url));

Deno.test("bench measures whole programs and writes tables and pictures", async () => {
  await using folder = await TempFolder.make();
  const [rowsFile, document] = [folder.at("rows"), folder.at("figures.md")];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", BENCH, "--runs", "1", "--scale", "0.01", "--dir", folder.path]
      .concat(["--only", "same,small", "--tools", "p2pft-base,https,cp"])
      .concat(["--rows", rowsFile, "--write", document]),
  }).output();
  const printed = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  assert.ok(success, printed);

  const lines = (await Deno.readTextFile(rowsFile)).trim().split("\n");
  const rows: BenchRow[] = lines.map((line) => JSON.parse(line));
  const own = rows.filter(({ tool }) => tool === "p2pft-base");
  assert.deepEqual(own.map((row) => row.case), ["small", "same"]);
  for (const { isDone, sender, receiver } of rows) {
    assert.ok(isDone);
    if (Deno.build.os === "linux" && sender !== undefined) {
      assert.ok(sender.cpuSeconds > 0 && sender.peakBytes > 1e6, printed);
      assert.ok(receiver!.cpuSeconds > 0 && receiver!.peakBytes > 1e6, printed);
    }
  }
  const written = await Deno.readTextFile(document);
  assert.match(written, /\| p2pft without FFI +\|/);
  assert.match(written, /!\[[^\]]+\]\(figures_goodput\.svg\)/);
  assert.match(await Deno.readTextFile(folder.at("figures_goodput.svg")), /^<svg /);
});
