/**
 * Goal: the file of `--log` stays what it is: lines that can be read, and out of the reach of clients.
 * Method: real files and links.
 */
import assert from "node:assert/strict";
import { openLogFile } from "../../lib/cli/log_file.ts";
import { TempFolder } from "../support/temp_folder.ts";

Deno.test("a log goes on behind a line that was cut, and behind whole ones", async () => {
  await using temp = await TempFolder.make();
  const path = temp.at("log");
  for (const [before, after] of [["", ""], ['{"a":1}\n{"b', '{"a":1}\n{"b\n'], ["{}\n", "{}\n"]]) {
    await Deno.writeTextFile(path, before!);
    const log = await openLogFile(path);
    log.write("{}");
    await log.close();
    assert.equal(await Deno.readTextFile(path), `${after}{}\n`);
  }
});

Deno.test("a log is kept out of the folder in which clients may replace files", async () => {
  await using temp = await TempFolder.make();
  await Deno.mkdir(temp.at("in", "deep"), { recursive: true });
  await Deno.mkdir(temp.at("inner"));
  await Deno.writeTextFile(temp.at("in", "old"), "{}\n");
  if (Deno.build.os !== "windows") {
    await Deno.symlink(temp.at("in"), temp.at("link"));
    await Deno.symlink(temp.at("in", "old"), temp.at("inner", "log"));
  }
  const links = Deno.build.os === "windows" ? [] : [
    [temp.at("link", "log"), temp.at("in")],
    [temp.at("in", "log"), temp.at("link")],
    [temp.at("inner", "log"), temp.at("in")],
  ];
  const inside = [
    [temp.at("in", "log"), temp.at("in")],
    [temp.at("in", "deep", "..", "..", "in", "..log"), temp.at("in")],
    [temp.at("in", "old"), temp.at("in")],
    [temp.at("in", "deep", "log"), temp.at("in")],
  ];
  for (const [path, folder] of [...inside, ...links]) {
    await assert.rejects(openLogFile(path!, folder), {
      code: "usage",
      message: `Cannot keep the log ${path}: it is in ${folder}, where clients may replace files`,
    });
  }
  assert.deepEqual(Array.from(Deno.readDirSync(temp.at("in")), ({ name }) => name).sort(), [
    "deep",
    "old",
  ]);
  assert.equal(await Deno.readTextFile(temp.at("in", "old")), "{}\n");
  const outside = [
    [temp.at("inner", "new"), temp.at("in")],
    [temp.at("in..log"), temp.at("in")],
    [temp.at("in", "free"), undefined],
    [temp.at("not there yet"), temp.at("not there")],
  ];
  for (const [path, folder] of outside) await (await openLogFile(path!, folder)).close();
});
