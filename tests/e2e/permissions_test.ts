/**
 * Goal: each command runs with exactly the permissions that docs/cli.md lists, says what is missing
 * when one is taken away, and under `-A` needs no flag at all.
 * Method: the flags are read out of the document, so document and program cannot part; whole
 * transfers between processes that have those and no others.
 */
import assert from "node:assert/strict";
import { CLI_PATH, CliProcess } from "../support/cli_process.ts";
import {
  codeOf,
  sharingWords,
  startReceive,
  startSend,
  startShare,
} from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { TerminalProgram, terminalTest } from "../support/terminal_program.ts";
import { assertSameTree, makeTree, writeFileSync } from "../support/tree.ts";

const document = Deno.readTextFileSync(new URL("../../docs/cli.md", import.meta.url));

/** Flags of `deno run` in the example of docs/cli.md, "Permissions", for one command. */
function documentedFlags(
  command: "send" | "share" | "wait" | "receive" | "doctor" | "verify",
  paths: Record<string, string>,
): string[] {
  const section = document.slice(document.indexOf("\n## Permissions\n"));
  const example = /```sh\n([\s\S]*?)```/.exec(section)![1]!;
  const lines = example.replaceAll("\\\n", " ").split("\n");
  const line = lines.find((line) => line.includes(`jsr:@p2pft/cli ${command}`));
  const flags = /deno run (.*) jsr:/.exec(line!)![1]!.trim().split(/\s+/);
  return flags.map((flag) =>
    flag.replace(
      /=([A-Z]+)$/,
      (whole, name) => paths[name] === undefined ? whole : `=${paths[name]}`,
    )
  );
}

/**
 * Whether the table of docs/cli.md says that a command works without a flag of its example; what is
 * required "unless `--address` is given" counts as optional with `hasAddress`.
 */
function isOptional(command: "send" | "receive", flag: string, hasAddress: boolean): boolean {
  const [name = "", values] = flag.split("=");
  const needs = values?.split(",").map((value) => documentedNeed(command, `${name}=${value}`)) ??
    [];
  const known = needs.filter((need) => need !== undefined);
  if (known.length === 0) known.push(documentedNeed(command, name)!);
  return known.every((need) =>
    need === "optional" || (hasAddress && need.startsWith("required, unless `--address`"))
  );
}

/** The cell of the table for a permission and a command. */
function documentedNeed(command: "send" | "receive", permission: string): string | undefined {
  const row = document.split("\n").find((line) => line.startsWith(`| \`${permission}\` `));
  return row?.split("|").at(command === "send" ? 2 : 3)?.trim();
}

/** A tree to send, and the flags that are documented for sending and taking it. */
async function prepare(temp: TempFolder) {
  await makeTree(temp.at("source", "tree"), { files: 5, fileBytes: 100_000 });
  return {
    tree: temp.at("source", "tree"),
    target: await temp.folder("target"),
    sendFlags: documentedFlags("send", { PATHS: temp.at("source", "tree") }),
    receiveFlags: documentedFlags("receive", { OUT: temp.at("target") }),
  };
}

Deno.test("send and receive work with exactly the documented permissions", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  await using sender = startSend([tree], { flags: sendFlags });
  await using receiver = startReceive(await codeOf(sender), target, { flags: receiveFlags });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(target, temp.at("source"));
});

Deno.test("send reads no file for standard input and texts, and needs no permission to", async () => {
  await using temp = await TempFolder.make();
  const { sendFlags, receiveFlags, target } = await prepare(temp);
  const flags = sendFlags.filter((flag) => !flag.startsWith("--allow-read="));
  assert.equal(flags.length, sendFlags.length - 1);
  for (const [paths, args] of [[["-"], []], [[], ["--text", "hello"]]]) {
    await using sender = startSend(paths!, { flags, args: args! });
    await sender.closeInput();
    await using receiver = startReceive(await codeOf(sender), target, { flags: receiveFlags });
    await receiver.expectExit(0);
    await sender.expectExit(0);
    assert.equal(sender.stderr, "");
  }
});

Deno.test("receive -o - writes no file, and needs no permission to", async () => {
  await using temp = await TempFolder.make();
  await temp.folder("source");
  writeFileSync(temp.at("source", "file"), 3_000_000, 1);
  const sendFlags = documentedFlags("send", { PATHS: temp.at("source", "file") });
  const flags = documentedFlags("receive", {}).filter((flag) => !/-(?:read|write)=/.test(flag));
  const words = ["receive", "--quiet", "--yes", "--allow-loopback", "--no-local-addresses"];
  await using sender = startSend([temp.at("source", "file")], { flags: sendFlags });
  await using receiver = new CliProcess([...words, "-o", "-", await codeOf(sender)], { flags });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.ok(receiver.stdout.length > 0);
});

Deno.test("receive --manifest in its folder, --exclude and --gitignore need no permission more", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  Deno.writeTextFileSync(`${tree}/.gitignore`, "*.log\n");
  for (const name of ["a.log", "b.tmp"]) Deno.writeTextFileSync(`${tree}/${name}`, "x");
  const sending = { flags: sendFlags, args: ["--exclude", "*.tmp", "--gitignore"] };
  await using sender = startSend([tree], sending);
  await using receiver = startReceive(await codeOf(sender), target, {
    flags: receiveFlags,
    args: ["--manifest", `${target}/SHA256SUMS`],
  });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  assert.equal(receiver.stderr, "");
  assert.ok(
    !Array.from(Deno.readDirSync(`${target}/tree`)).some(({ name }) => /log|tmp/.test(name)),
  );
  const verify = ["verify", "--json", "--manifest", `${target}/SHA256SUMS`];
  await using verifying = new CliProcess(verify, {
    flags: documentedFlags("verify", { FOLDER: target }),
  });
  await verifying.expectExit(0);
  const { good, damaged, missing } = await verifying.event("verified");
  assert.ok(good > 0);
  assert.deepEqual([damaged, missing], [0, 0]);
});

Deno.test("send --symlinks follow names a link that leads to where it may not read", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  await temp.folder("outside");
  Deno.symlinkSync(temp.at("outside"), `${tree}/link`);
  await using sender = startSend([tree], { flags: sendFlags, args: ["--symlinks", "follow"] });
  await using receiver = startReceive(await codeOf(sender), target, { flags: receiveFlags });
  await receiver.expectExit(0);
  await sender.expectExit(13);
  const warning = await sender.event("warning", ({ path }) => path === "tree/link");
  assert.match(warning.message, /outside: reading there is not allowed \(--allow-read\)/);
});

Deno.test("doctor works with exactly the documented permissions, and without the optional ones", async () => {
  const flags = documentedFlags("doctor", {});
  const least = flags.filter((flag) => !/^--allow-(?:sys|env)=/.test(flag));
  assert.equal(least.length, flags.length - 2);
  for (const given of [flags, least]) {
    const words = ["doctor", "--json", "--stun", "none", "--no-portmap"];
    await using process = new CliProcess(words, { flags: given });
    await process.expectExit(0);
    assert.equal(process.stderr, "");
    assert.equal(JSON.parse(process.stdout).event, "doctor");
  }
});

Deno.test("send with the documented permissions puts this machine's addresses into the code", async () => {
  await using temp = await TempFolder.make();
  const { tree, sendFlags } = await prepare(temp);
  // One address is given, so that a machine without a network can run this.
  const args = ["send", "--json", "--allow-loopback", "--address", "127.0.0.1", tree];
  await using sender = new CliProcess(args, { flags: sendFlags });
  const { addresses } = await sender.event("code");
  const others = Deno.networkInterfaces().filter(({ family, address }) =>
    family === "IPv4" && !address.startsWith("127.") && !address.startsWith("169.254.")
  );
  const isThere = others.some(({ address }) => addresses.some((a) => a.startsWith(`${address}:`)));
  assert.ok(isThere || others.length === 0, `${addresses}`);
});

Deno.test("share with --log works with exactly the documented permissions", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, receiveFlags } = await prepare(temp);
  const log = temp.at("who.log");
  const logFlags = [`--allow-read=${log}`, `--allow-write=${log}`];
  const flags = [...documentedFlags("share", { PATHS: tree }), ...logFlags];
  await using sharer = startShare([tree], { flags, args: ["--once", "--log", log] });
  await using receiver = startReceive(await codeOf(sharer), target, { flags: receiveFlags });
  await receiver.expectExit(0);
  await sharer.expectExit(0);
  assert.equal(sharer.stderr, "");
  await assertSameTree(target, temp.at("source"));
  const records = (await Deno.readTextFile(log)).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  assert.deepEqual([records[0].event, records.at(-1).event], ["started", "closed"]);
  const paths = records.flatMap(({ event, path }) => event === "file" ? [path] : []).sort();
  const told = sharer.events.flatMap((event) => event.event === "file-done" ? [event.path] : []);
  assert.ok(paths.length >= 5);
  assert.deepEqual(paths, told.sort());
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(log)).mode! & 0o777, 0o600);
});

Deno.test("wait and send --to work with exactly the documented permissions", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags } = await prepare(temp);
  const flags = documentedFlags("wait", { OUT: target });
  const waiting = ["--json", "--yes", "--once", "-o", target, "--stun", "none", "--no-portmap"];
  await using box = new CliProcess(sharingWords("wait", [], waiting), { flags });
  const giving = ["send", "--json", "--allow-loopback", "--no-local-addresses", tree, "--to"];
  await using giver = new CliProcess(giving, {
    flags: [...sendFlags, "--allow-env=P2PFT_CODE"],
    env: { P2PFT_CODE: await codeOf(box) },
  });
  await giver.expectExit(0);
  await box.expectExit(0);
  assert.equal(box.stderr + giver.stderr, "");
  await assertSameTree(target, temp.at("source"));
});

Deno.test("share and wait name what is missing, and do nothing", async () => {
  await using temp = await TempFolder.make();
  const { tree, target } = await prepare(temp);
  const log = temp.at("who.log");
  const cases = [
    {
      words: ["share", "--json", "--log", log, tree],
      flags: [
        ...documentedFlags("share", { PATHS: tree }),
        `--allow-read=${log}`,
        `--allow-write=${log}`,
      ],
    },
    {
      words: ["wait", "--json", "--yes", "-o", target],
      flags: documentedFlags("wait", { OUT: target }),
    },
  ];
  for (const { words, flags } of cases) {
    for (const flag of flags.filter((flag) => /^--allow-(?:read|write)=/.test(flag))) {
      await using process = new CliProcess(words, {
        flags: flags.filter((other) => other !== flag),
      });
      await process.expectExit(24);
      const { message } = await process.event("error");
      assert.ok(message.includes(flag), `${flag} is not in: ${message}`);
      assert.equal(process.events.length, 1);
    }
  }
});

Deno.test("send and receive work without the permissions documented as optional", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  const least = {
    sender: sendFlags.filter((flag) => !isOptional("send", flag, true)),
    receiver: receiveFlags.filter((flag) => !isOptional("receive", flag, true)),
  };
  assert.ok(least.sender.length < sendFlags.length);
  assert.ok(least.receiver.length < receiveFlags.length);
  await using sender = startSend([tree], { flags: least.sender });
  await using receiver = startReceive(await codeOf(sender), target, { flags: least.receiver });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(target, temp.at("source"));
});

Deno.test("send and receive name each required permission that is missing, and do nothing", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  const cases = [
    { command: "send", words: [tree], flags: sendFlags },
    { command: "receive", words: ["-o", target, "no code"], flags: receiveFlags },
  ] as const;
  for (const { command, words, flags } of cases) {
    for (const flag of flags) {
      if (isOptional(command, flag, false)) continue;
      const name = flag.split("=")[0]!;
      await using process = new CliProcess([command, "--json", ...words], {
        flags: flags.filter((other) => other !== flag),
      });
      await process.expectExit(24);
      const error = await process.event("error");
      assert.match(error.code, /^(permission_missing|socket_unavailable)$/);
      assert.ok(error.message.includes(name), `${name} is not in: ${error.message}`);
      for (const other of flags) {
        const parts = other.split(/[=,]/);
        assert.ok(parts.every((part) => error.hint.includes(part)), `${other}: ${error.hint}`);
      }
      assert.equal(process.events.length, 1);
      assert.equal(process.stderr, "");
    }
  }
});

Deno.test("the command that is printed for a missing permission works as it is", async () => {
  await using temp = await TempFolder.make();
  const { tree, target } = await prepare(temp);
  await using sender = startSend([tree], { flags: ["--allow-net", "--unstable-net"] });
  await sender.expectExit(24);
  const { hint } = await sender.event("error");
  const printed = /^Run: deno run (.*)$/.exec(hint)![1]!.split(" ");
  const program = printed.indexOf(CLI_PATH);
  assert.ok(program > 0, hint);
  await using again = new CliProcess(printed.slice(program + 1), {
    flags: printed.slice(0, program),
  });
  await using receiver = startReceive(await codeOf(again), target);
  await receiver.expectExit(0);
  await again.expectExit(0);
  await assertSameTree(target, temp.at("source"));
});

Deno.test("send and receive work under -A with no flag for the socket anywhere", async () => {
  await using temp = await TempFolder.make();
  const { tree, target } = await prepare(temp);
  const flags = ["--allow-all"];
  await using sender = startSend([tree], { flags });
  await using receiver = startReceive(await codeOf(sender), target, { flags });
  await receiver.expectExit(0);
  await sender.expectExit(0);
  await assertSameTree(target, temp.at("source"));
});

Deno.test("--lan announces and finds with the documented permissions, and names what is missing", async () => {
  await using temp = await TempFolder.make();
  const { tree, target, sendFlags, receiveFlags } = await prepare(temp);
  const args = ["--yes", "--lan=p2pft permissions test"];
  await using sender = startSend([tree], { flags: sendFlags, args });
  assert.equal((await sender.event("announced")).name, "p2pft permissions test");
  // Its code has addresses of loopback only, which nobody takes from a network.
  const words = ["receive", "--json", "--lan=p2pft permissions test", "-o", target];
  await using receiver = new CliProcess(words, { flags: receiveFlags });
  const { shares } = await receiver.event("shares");
  assert.ok(!shares.some(({ name }) => name === "p2pft permissions test"));
  await receiver.expectExit(21);
  for (const [command, flags] of [["send", sendFlags], ["receive", receiveFlags]] as const) {
    const rest = flags.filter((flag) => !flag.startsWith("--allow-sys="));
    const given = command === "send" ? sharingWords(command, [tree], ["--json", ...args]) : words;
    await using process = new CliProcess(given, { flags: rest });
    await process.expectExit(24);
    assert.match((await process.event("error")).message, /--allow-sys=networkInterfaces/);
  }
});

terminalTest(
  "receive without a code asks for it where shares cannot be listed, and says why",
  async () => {
    await using temp = await TempFolder.make();
    const flags = documentedFlags("receive", { OUT: temp.at("") });
    const words = ["receive", "-o", temp.at("")];
    await using listing = new TerminalProgram(words, { flags, columns: 80 });
    await listing.shows("Number or code: ");
    const rest = flags.filter((flag) => !flag.startsWith("--allow-sys="));
    await using asking = new TerminalProgram(words, { flags: rest, columns: 80 });
    await asking.shows("Code from the other side: ");
    const seen = asking.screen.lines.join(" ").replaceAll(/ +/g, " ");
    assert.match(seen, /not listed: run again with --allow-sys=networkInterfaces/);
    assert.ok(!/Deno requests|Allow\?/.test(asking.output), asking.output);
  },
);
