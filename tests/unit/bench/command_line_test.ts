import assert from "node:assert/strict";
import { publishedCommand } from "../../../bench/process/command_line.ts";

Deno.test("publishedCommand names no place of the machine it was given on", () => {
  const args = ["--natlab", "/home/me/lab", "--runs", "2", "--rows=/tmp/rows", "--dir", "/dev/shm"];
  const command = publishedCommand([...args, "--write", "docs/benchmarks.md"]);
  assert.equal(
    command,
    "deno task bench --natlab PATH --runs 2 --rows=PATH --dir /dev/shm --write docs/benchmarks.md",
  );
});

Deno.test("publishedCommand leaves a command without options alone", () => {
  assert.equal(publishedCommand([]), "deno task bench");
});
