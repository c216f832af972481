import assert from "node:assert/strict";
import { runProgram } from "../../../lib/cli/program.ts";
import {
  EVENTS,
  FakeStreams,
  fakeWorld,
  type FakeWorldOptions,
  operationOf,
} from "./_fake_world.ts";

async function run(args: string[], options: FakeWorldOptions = {}) {
  const world = fakeWorld(options);
  const exit = await runProgram(args, world);
  return { exit, streams: world.streams };
}

Deno.test("runProgram prints help and the version to output", async () => {
  const version = await run(["--version"]);
  assert.equal(version.exit, 0);
  assert.match(version.streams.output, /^p2pft \d+\.\d+\.\d+\n$/);
  assert.match((await run(["send", "--help"])).streams.output, /^Usage: p2pft send/);
});

Deno.test("runProgram answers a wrong command line with two lines and 2", async () => {
  const { exit, streams } = await run(["sned"]);
  assert.equal(exit, 2);
  assert.equal(streams.output, "");
  assert.equal(
    streams.error,
    "Error: Unknown command 'sned' (Did you mean send?)\n  See p2pft --help\n",
  );
});

Deno.test("runProgram --json answers a wrong command line with an error object", async () => {
  const { exit, streams } = await run(["send", "--json"]);
  assert.equal(exit, 2);
  assert.equal(streams.error, "");
  assert.deepEqual(streams.events, [{
    v: 1,
    event: "error",
    code: "usage",
    exit: 2,
    message: "Missing required argument 'path'",
    hint: "See p2pft send --help",
    fatal: true,
  }]);
});

Deno.test("runProgram names a missing permission and the whole command", async () => {
  const { exit, streams } = await run(["receive", "-o", "my files"], {
    granted: ({ name }) => name !== "write",
  });
  assert.equal(exit, 24);
  assert.equal(
    streams.error,
    "Error: Cannot receive: missing permission to write my files (--allow-write=my files)\n" +
      "  Run: deno run --unstable-net --allow-net --allow-sys=networkInterfaces,statfs " +
      "--allow-env=P2PFT_CODE '--allow-read=my files' '--allow-write=my files' " +
      "jsr:@p2pft/cli@0.1.0 receive -o 'my files'\n",
  );
});

Deno.test("runProgram names the missing flag of Deno", async () => {
  const { exit, streams } = await run(["send", "a", "--json"], { hasSocket: false });
  assert.equal(exit, 24);
  assert.equal(streams.events[0]?.code, "socket_unavailable");
  assert.match(String(streams.events[0]?.message), /--unstable-net/);
  assert.equal(
    streams.events[0]?.hint,
    "Run: deno run --unstable-net --allow-net --allow-sys=networkInterfaces --allow-read=a " +
      "jsr:@p2pft/cli@0.1.0 send a --json",
  );
});

Deno.test("runProgram does without the optional permissions", async () => {
  const receive = () => Promise.resolve(operationOf(EVENTS.done));
  const granted = ({ name }: Deno.PermissionDescriptor) => name !== "sys" && name !== "env";
  assert.equal((await run(["receive", "p2p1x"], { receive, granted })).exit, 0);
});

Deno.test("runProgram refuses --verify where nobody can compare, unless told to go on", async () => {
  const { exit, streams } = await run(["receive", "p2p1x", "--verify"]);
  assert.equal(exit, 2);
  assert.match(streams.error, /no terminal to ask at\n {2}.*--yes/);
  const receive = () => Promise.resolve(operationOf(EVENTS.done));
  assert.equal((await run(["receive", "p2p1x", "--verify", "--yes"], { receive })).exit, 0);
});

Deno.test("runProgram uses colour on terminals only, and as told", async () => {
  const isColored = async (args: string[], options: FakeWorldOptions = {}) => {
    const streams = options.streams ?? new FakeStreams({ terminal: true });
    await run(["receive", "p2p1x", "--yes", ...args], {
      receive: () => Promise.resolve(operationOf(EVENTS.done)),
      ...options,
      streams,
    });
    return streams.output.includes("\x1b[");
  };
  assert.equal(await isColored([]), true);
  assert.equal(await isColored(["--color", "never"]), false);
  assert.equal(await isColored([], { env: { TERM: "dumb" } }), false);
  assert.equal(await isColored([], { streams: new FakeStreams() }), false);
  assert.equal(await isColored(["--color", "always"], { streams: new FakeStreams() }), true);
});

Deno.test("runProgram reports a bug in two lines, and the stack when verbose", async () => {
  const streams = () => {
    const broken = new FakeStreams({ lines: ["x"] });
    broken.readLine = () => Promise.reject(new RangeError("boom"));
    return broken;
  };
  const plain = await run(["receive"], { streams: streams() });
  assert.equal(plain.exit, 1);
  assert.equal(plain.streams.error.trimEnd().split("\n").length, 2);
  assert.match(plain.streams.error, /^Error: Something went wrong inside p2pft: boom\n/);
  assert.match((await run(["receive", "-v"], { streams: streams() })).streams.error, /\n {4}at /);
});
