import assert from "node:assert/strict";
import {
  commandLine,
  giveCommandLine,
  type Installation,
  moduleSpecifier,
  ownConfigPath,
  receiveCommandLine,
} from "../../../lib/cli/installation.ts";

const installation = (moduleUrl: string, more: Partial<Installation> = {}): Installation => ({
  compiled: false,
  windows: false,
  moduleUrl,
  ...more,
});

Deno.test("moduleSpecifier gives what deno run takes", () => {
  const cases: [Installation, string][] = [
    [installation("https://jsr.io/@p2pft/cli/0.1.0/cli.ts"), "jsr:@p2pft/cli@0.1.0"],
    [installation("https://example.org/p2pft/cli.ts"), "https://example.org/p2pft/cli.ts"],
    [installation("file:///home/a%20b/cli.ts"), "/home/a b/cli.ts"],
    [installation("file:///C:/p2pft/cli.ts", { windows: true }), "C:\\p2pft\\cli.ts"],
  ];
  for (const [from, specifier] of cases) assert.equal(moduleSpecifier(from), specifier);
});

Deno.test("ownConfigPath is beside the entry module, for folders only", () => {
  assert.equal(ownConfigPath(installation("file:///home/a%20b/cli.ts")), "/home/a b/deno.json");
  assert.equal(ownConfigPath(installation("https://jsr.io/@p2pft/cli/0.1.0/cli.ts")), undefined);
});

Deno.test("commandLine quotes what a shell would change", () => {
  const words = ["deno", "--allow-read=a b", "it's", "$HOME", "*", "a,b=/c:1"];
  assert.equal(
    commandLine(words, installation("")),
    `deno '--allow-read=a b' 'it'\\''s' '$HOME' '*' a,b=/c:1`,
  );
  assert.equal(
    commandLine(["C:\\a b\\c", "C:\\a"], installation("", { windows: true })),
    `"C:\\a b\\c" C:\\a`,
  );
});

Deno.test("receiveCommandLine fits the way the program was started", () => {
  assert.equal(
    receiveCommandLine("p2p1x", installation("file:///cli.ts")),
    "deno run -A jsr:@p2pft/cli receive p2p1x",
  );
  assert.equal(
    receiveCommandLine("p2p1x", installation("", { compiled: true })),
    "p2pft receive p2p1x",
  );
});

Deno.test("giveCommandLine is what to run on the machine that gives", () => {
  const program = installation("https://jsr.io/@p2pft/cli/0.1.0/cli.ts");
  assert.equal(
    giveCommandLine("p2p1q", program),
    "deno run -A jsr:@p2pft/cli send PATH --to p2p1q",
  );
  assert.equal(
    giveCommandLine("p2p1q", { ...program, compiled: true }),
    "p2pft send PATH --to p2p1q",
  );
});
