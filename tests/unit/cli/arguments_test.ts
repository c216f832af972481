import assert from "node:assert/strict";
import { parseArguments } from "../../../lib/cli/arguments.ts";

const parse = (...args: string[]) => parseArguments(args, { version: "1.2.3", columns: 60 });

const COMMON = {
  json: false,
  quiet: false,
  verbose: false,
  color: "auto",
  portMapping: true,
  allowLoopback: false,
};

const TRANSFER = { ...COMMON, yes: false, verify: false, background: false, identity: false };

Deno.test("parseArguments reads send with its defaults", () => {
  assert.deepEqual(parse("send", "a", "b c"), {
    ...TRANSFER,
    command: "send",
    paths: ["a", "b c"],
    exclude: [],
    gitignore: false,
    symlinks: "skip",
    addresses: [],
    localAddresses: true,
    private: false,
    allow: [],
    qr: false,
  });
});

Deno.test("parseArguments reads every option of send", () => {
  const words = "send x --yes --verify --bind 192.0.2.7:4000 --timeout 30s --allow-loopback " +
    "--address 203.0.113.5:1 --address [::1]:2 --no-local-addresses --qr --quiet -v " +
    "--color never --stun stun.example.org --stun [2001:db8::1]:3479 --no-portmap --private " +
    "--limit 2M --limit-client 4Mbit --cc cubic --exclude *.o --exclude !a.o --gitignore " +
    "--symlinks keep --allow alice --allow bob --for carol --log who.log -o in " +
    "--overwrite newer --allow-dotfiles --identity --home ids";
  assert.deepEqual(parse(...words.split(" ")), {
    command: "send",
    json: false,
    quiet: true,
    verbose: true,
    color: "never",
    yes: true,
    verify: true,
    allowLoopback: true,
    bind: { host: "192.0.2.7", port: 4000 },
    timeoutMs: 30_000,
    stunServers: ["stun.example.org", "[2001:db8::1]:3479"],
    portMapping: false,
    private: true,
    limit: 2_000_000,
    clientLimit: 500_000,
    congestion: "cubic",
    background: false,
    paths: ["x"],
    exclude: ["*.o", "!a.o"],
    gitignore: true,
    symlinks: "keep",
    addresses: ["203.0.113.5:1", "[::1]:2"],
    localAddresses: false,
    allow: ["alice", "bob"],
    forPeer: "carol",
    log: "who.log",
    take: { directory: "in", overwrite: "newer", allowDotfiles: true },
    identity: true,
    home: "ids",
    qr: true,
  });
});

Deno.test("parseArguments reads what is sent that is no path", () => {
  const sent = (...args: string[]) => {
    const parsed = parse("send", ...args);
    assert.ok(parsed.command === "send", JSON.stringify(parsed));
    assert.deepEqual(parsed.paths, []);
    return parsed.input;
  };
  assert.deepEqual(sent("-"), { kind: "stream" });
  assert.deepEqual(sent("-", "--name", "backup.tar"), { kind: "stream", name: "backup.tar" });
  assert.deepEqual(sent("--text", "hello there"), { kind: "text", text: "hello there" });
  assert.deepEqual(sent("--text", "x", "--name", "n"), { kind: "text", text: "x", name: "n" });
  assert.deepEqual(sent("--text", "-"), { kind: "text" });
});

Deno.test("parseArguments refuses sources that do not go together", () => {
  const message = (...args: string[]) => {
    const parsed = parse("send", ...args);
    assert.ok(parsed.command === "usage_error", JSON.stringify(parsed));
    return parsed.message;
  };
  assert.match(message(), /Missing required argument 'path'/);
  assert.match(message("-", "photos"), /- \(standard input\) cannot stand beside other paths/);
  assert.match(message("photos", "-"), /cannot stand beside other paths/);
  assert.match(message("-", "-"), /cannot stand beside other paths/);
  assert.match(message("photos", "--text", "x"), /--text cannot stand beside paths/);
  assert.match(message("-", "--private"), /--private takes reply codes from standard input/);
  assert.match(message("photos", "--name", "x"), /--name is for - and --text/);
  for (const option of [["--exclude", "x"], ["--gitignore"], ["--symlinks", "keep"]]) {
    assert.match(message("-", ...option), /are for folders/);
    assert.match(message("--text", "x", ...option), /are for folders/);
  }
  assert.match(message("photos", "--symlinks", "always"), /Allowed choices are skip, follow, keep/);
});

Deno.test("parseArguments reads receive with and without a code", () => {
  const defaults = {
    ...TRANSFER,
    command: "receive",
    directory: ".",
    isDirectoryGiven: false,
    toOutput: false,
    symlinks: "keep",
    allowDotfiles: false,
    offer: [],
    localAddresses: true,
    qr: false,
  };
  assert.deepEqual(parse("receive"), defaults);
  assert.deepEqual(
    parse(
      "receive",
      "p2p1x",
      "-o",
      "out",
      "--overwrite",
      "ask",
      "--allow-dotfiles",
      "--qr",
      "--no-local-addresses",
      "--limit",
      "800kbit",
      "--background",
      "--offer",
      "a",
      "--offer",
      "b",
      "--from",
      "alice",
    ),
    {
      ...defaults,
      code: "p2p1x",
      directory: "out",
      isDirectoryGiven: true,
      overwrite: "ask",
      limit: 100_000,
      background: true,
      allowDotfiles: true,
      offer: ["a", "b"],
      fromPeer: "alice",
      localAddresses: false,
      qr: true,
    },
  );
});

Deno.test("parseArguments takes - for standard output, and every policy", () => {
  const receive = (...args: string[]) => {
    const parsed = parse("receive", ...args);
    assert.ok(parsed.command === "receive", JSON.stringify(parsed));
    return parsed;
  };
  const { directory, isDirectoryGiven, toOutput } = receive("-o", "-");
  assert.deepEqual([directory, isDirectoryGiven, toOutput], [".", false, true]);
  assert.equal(receive("-o", "./-").toOutput, false);
  for (const policy of ["never", "ask", "rename", "newer", "always"]) {
    assert.equal(receive("--overwrite", policy).overwrite, policy);
  }
  assert.equal(receive("--symlinks", "skip").symlinks, "skip");
  const both = parse("receive", "-o", "-", "--manifest", "x");
  assert.ok(both.command === "usage_error");
  assert.match(both.message, /--manifest is for files in a folder/);
});

Deno.test("parseArguments reads doctor with and without a code", () => {
  assert.deepEqual(parse("doctor"), { ...COMMON, command: "doctor" });
  assert.deepEqual(parse("doctor", "p2p1x", "--stun", "none", "--json", "--timeout", "3s"), {
    ...COMMON,
    command: "doctor",
    code: "p2p1x",
    json: true,
    stunServers: [],
    timeoutMs: 3000,
  });
  const parsed = parse("doctor", "--yes");
  assert.ok(parsed.command === "usage_error" && parsed.hint === "See p2pft doctor --help");
});

Deno.test("parseArguments refuses rates that are none, and two kinds of congestion control", () => {
  const messages: Record<string, RegExp> = {
    "send --limit 2x a": /'2x' is invalid\. Expected bytes a second from 1k to 1000G, such as 500k/,
    "send --limit-client 0 a": /'0' is invalid/,
    "receive --limit 999": /'999' is invalid/,
    "send --cc bbr --background a": /'--cc <name>' cannot be used with option '--background'/,
    "send --cc reno a": /'reno' is invalid\. Allowed choices are bbr, cubic/,
    "receive --cc bbr": /Unknown option '--cc'/,
    "receive --limit-client 2M": /Unknown option '--limit-client'/,
  };
  for (const [words, message] of Object.entries(messages)) {
    const parsed = parse(...words.split(" "));
    assert.ok(parsed.command === "usage_error", words);
    assert.match(parsed.message, message);
  }
});

Deno.test("parseArguments takes --stun none alone only", () => {
  const stunServers = (...args: string[]) => {
    const parsed = parse("receive", ...args);
    return "stunServers" in parsed ? parsed.stunServers : parsed;
  };
  assert.deepEqual(stunServers("--stun", "none", "--stun", "none"), []);
  for (const servers of [["none", "a.example"], ["a.example", "none"]]) {
    const parsed = parse("receive", ...servers.flatMap((server) => ["--stun", server]));
    assert.ok(parsed.command === "usage_error");
    assert.match(parsed.message, /--stun none cannot stand beside a server$/);
  }
});

Deno.test("parseArguments takes the global options before and after the command", () => {
  const before = parse("--json", "receive");
  const after = parse("receive", "--json");
  assert.deepEqual(before, after);
  assert.equal("json" in after && after.json, true);
});

Deno.test("parseArguments takes words behind -- as they are", () => {
  const parsed = parse("send", "--", "--json", "-y");
  assert.ok(parsed.command === "send");
  assert.deepEqual(parsed.paths, ["--json", "-y"]);
  assert.equal(parsed.json, false);
});

Deno.test("parseArguments answers --help and --version with text", () => {
  assert.deepEqual(parse("--version"), { command: "text", text: "p2pft 1.2.3\n" });
  const commands = ["send", "share", "wait", "receive", "doctor", "verify", "peers"];
  for (
    const args of [["--help"], ["peers", "rename", "-h"], ...commands.map((name) => [name, "-h"])]
  ) {
    const parsed = parse(...args);
    assert.ok(parsed.command === "text");
    for (const line of parsed.text.split("\n")) assert.ok(line.length <= 60, line);
  }
});

Deno.test("parseArguments says what is wrong and which help to read", () => {
  const cases: [string, RegExp, string][] = [
    ["", /^No command was given$/, "See p2pft --help"],
    ["sned x", /^Unknown command 'sned' \(Did you mean send\?\)$/, "See p2pft --help"],
    ["send", /^Missing required argument 'path'$/, "See p2pft send --help"],
    ["send x --adress y", /^Unknown option '--adress'.*--address/, "See p2pft send --help"],
    ["send x --bind x", /'x' is invalid. Expected PORT or ADDR:PORT/, "See p2pft send --help"],
    ["send x --bind 99999", /A port is at most 65535$/, "See p2pft send --help"],
    ["send x --stun 99999", /A port is at most 65535$/, "See p2pft send --help"],
    ["send x --stun a.example:99999", /A port is at most 65535$/, "See p2pft send --help"],
    ["send x --address [::1]:65536", /A port is at most 65535$/, "See p2pft send --help"],
    ["send x --no-local-addresses", /needs at least one --address$/, "See p2pft send --help"],
    ["receive a b", /^Too many arguments/, "See p2pft receive --help"],
    [
      "receive --overwrite x",
      /choices are never, ask, rename, newer, always$/,
      "See p2pft receive --help",
    ],
    [
      "send x --stun a:b",
      /'a:b' is invalid. Expected HOST, HOST:PORT or none/,
      "See p2pft send --help",
    ],
    ["receive --private", /^Unknown option '--private'/, "See p2pft receive --help"],
    ["receive --timeout 0s", /from 1s to 24d/, "See p2pft receive --help"],
  ];
  for (const [words, message, hint] of cases) {
    const parsed = parse(...words.split(" ").filter((word) => word !== ""));
    assert.ok(parsed.command === "usage_error", words);
    assert.match(parsed.message, message);
    assert.equal(parsed.hint, hint);
    assert.equal(parsed.json, false);
  }
});

Deno.test("parseArguments notices --json in a command line it refuses", () => {
  const parsed = parse("send", "--json");
  assert.ok(parsed.command === "usage_error" && parsed.json);
  const behind = parse("receive", "--", "a", "--json");
  assert.ok(behind.command === "usage_error" && !behind.json);
});

Deno.test("parseArguments reads share and wait, with the bounds that send does not have", () => {
  const many = "--max-clients 16 --read-limit 3 --expires 1h30m".split(" ");
  const bounds = { maxClients: 16, readLimit: 3, expiresMs: 5_400_000 };
  const share = parse("share", "a", ...many);
  assert.ok(share.command === "share", JSON.stringify(share));
  assert.deepEqual(share.paths, ["a"]);
  assert.equal(share.take, undefined);
  const wait = parse("wait", ...many);
  assert.ok(wait.command === "wait", JSON.stringify(wait));
  assert.deepEqual(wait.paths, []);
  assert.deepEqual(wait.take, { directory: ".", overwrite: "rename", allowDotfiles: false });
  for (const parsed of [share, wait]) {
    const { maxClients, readLimit, expiresMs } = parsed;
    assert.deepEqual({ maxClients, readLimit, expiresMs }, bounds);
  }
  const once = parse("share", "--once", "a");
  assert.ok(once.command === "share" && once.readLimit === 1);
  for (const [text, ms] of [["90s", 90e3], ["30m", 1.8e6], ["2h", 7.2e6], ["7d", 604.8e6]]) {
    const parsed = parse("wait", "--expires", String(text));
    assert.ok(parsed.command === "wait" && parsed.expiresMs === ms, String(text));
  }
});

Deno.test("parseArguments refuses bounds that are none", () => {
  const messages: Record<string, RegExp> = {
    "share a --max-clients 257": /Expected a whole number from 1 to 256/,
    "share a --max-clients 0": /Expected a whole number from 1 to 256/,
    "share a --read-limit 1.5": /Expected a whole number from 1 to 1000000/,
    "share a --once --read-limit 2": /'--once' cannot be used with option '--read-limit <n>'/,
    "share a --expires 3": /Expected a duration from 1s to 24d/,
    "share": /Missing required argument 'path'/,
    "share -": /Standard input can be read once: use p2pft send -$/,
    "wait a": /Too many arguments/,
    "wait --text x": /Unknown option '--text'/,
    "send a --once": /Unknown option '--once'/,
    "send a --overwrite ask": /Allowed choices are never, rename, newer, always/,
    "wait --no-local-addresses": /needs at least one --address$/,
  };
  for (const [words, message] of Object.entries(messages)) {
    const parsed = parse(...words.split(" "));
    assert.ok(parsed.command === "usage_error", words);
    assert.match(parsed.message, message);
    assert.equal(parsed.hint, `See p2pft ${words.split(" ")[0]} --help`);
  }
});

Deno.test("parseArguments takes the name of --lan behind = only", () => {
  const lan = (...args: string[]) => {
    const parsed = parse("share", ...args);
    assert.ok(parsed.command === "share", JSON.stringify(parsed));
    return [parsed.lan, parsed.paths];
  };
  assert.deepEqual(lan("--lan", "photos"), [{}, ["photos"]]);
  assert.deepEqual(lan("--lan=My photos", "photos"), [{ name: "My photos" }, ["photos"]]);
  assert.deepEqual(lan("photos", "--", "--lan"), [undefined, ["photos", "--lan"]]);
});

Deno.test("parseArguments makes of send --to a gift for whoever made the code", () => {
  const give = (...args: string[]) => parse("send", ...args);
  const plain = {
    ...TRANSFER,
    command: "give",
    paths: ["a"],
    exclude: [],
    gitignore: false,
    symlinks: "skip",
    localAddresses: true,
    qr: false,
  };
  assert.deepEqual(give("a", "--to", "p2p1x"), { ...plain, code: "p2p1x" });
  assert.deepEqual(give("a", "--to"), plain);
  assert.deepEqual(give("--to=", "a"), plain);
  assert.deepEqual(give("a", "--for", "alice", "--to=p2p1x"), {
    ...plain,
    code: "p2p1x",
    forPeer: "alice",
  });
  const message = (...args: string[]) => {
    const parsed = give(...args);
    assert.ok(parsed.command === "usage_error", JSON.stringify(parsed));
    return parsed.message;
  };
  assert.match(message("--to", "photos"), /'path': 'photos' behind --to is the code$/);
  assert.match(message("--to"), /Missing required argument 'path'$/);
  assert.match(message("a", "--private", "--to"), /--to cannot stand beside --private/);
  assert.match(message("a", "--limit-client", "1M", "--to"), /beside --limit-client, which/);
});
