/**
 * Goal: the emulated link carries real datagrams both ways, never early and at its rate, and the
 * program tells its port and its statistics.
 * Method: sockets on loopback around it. Being late is the machine's business and only bounded
 * generously; being early or too fast would be the emulator's mistake and is not forgiven.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { EmulatedLink } from "../support/emulated_link.ts";
import type { LinkOptions } from "../support/link.ts";
import { within } from "../support/within.ts";

const ANY = { family: 4, host: "127.0.0.1", port: 0 } as const;

/** An echo server behind a link, and sockets in front of it. */
async function withLink(
  link: LinkOptions,
  body: (emulated: EmulatedLink, open: () => DenoSocket, seen: SocketAddress[]) => Promise<void>,
): Promise<void> {
  const server = new DenoSocket(ANY);
  const seen: SocketAddress[] = [];
  const loops = [
    server.receive((datagram, from) => {
      seen.push(from);
      void server.send(datagram.slice(), from);
    }),
  ];
  const emulated = new EmulatedLink({
    listen: ANY,
    target: server.localAddress,
    toTarget: link,
    toClients: link,
    seed: 1,
  });
  const opened: DenoSocket[] = [];
  try {
    await body(emulated, () => {
      const socket = new DenoSocket(ANY);
      opened.push(socket);
      return socket;
    }, seen);
  } finally {
    for (const socket of [server, ...opened]) socket.close();
    await within("sockets to close", Promise.all([...loops, emulated.close()]));
  }
}

/** Collects what comes back, with arrival times, until there are `count`. */
function collect(
  socket: DenoSocket,
  count: number,
): Promise<{ atMs: number; bytes: Uint8Array }[]> {
  const all: { atMs: number; bytes: Uint8Array }[] = [];
  return within(
    `${count} datagrams`,
    new Promise((resolve, reject) => {
      socket.receive((datagram) => {
        all.push({ atMs: performance.now(), bytes: datagram.slice() });
        if (all.length === count) resolve(all);
      }).catch(reject);
    }),
  );
}

Deno.test("EmulatedLink tells clients apart and brings each its own answers", () =>
  withLink({}, async (emulated, open, seen) => {
    const [a, b] = [open(), open()];
    const answers = Promise.all([collect(a, 2), collect(b, 1)]);
    await a.send(Uint8Array.of(1), emulated.address);
    await b.send(Uint8Array.of(2), emulated.address);
    await a.send(Uint8Array.of(3), emulated.address);
    const [toA, toB] = await answers;
    assert.deepEqual(toA.map(({ bytes }) => bytes[0]).sort(), [1, 3]);
    assert.deepEqual(toB.map(({ bytes }) => bytes[0]), [2]);
    assert.equal(new Set(seen.map(({ port }) => port)).size, 2);
    assert.equal(emulated.statistics().clients, 2);
  }));

Deno.test("EmulatedLink delays each way, never less than asked", () =>
  withLink({ delayMs: 15 }, async (emulated, open) => {
    const socket = open();
    const answer = collect(socket, 1);
    const startMs = performance.now();
    await socket.send(new Uint8Array(100), emulated.address);
    const [first] = await answer;
    assert.ok(first!.atMs - startMs >= 30, `${first!.atMs - startMs} ms`);
    assert.ok(emulated.statistics().meanLatenessMs < 20);
  }));

Deno.test("EmulatedLink never goes faster than its rate, and gets along at it", () =>
  withLink({ rateBytesPerSecond: 1_000_000 }, async (emulated, open) => {
    const COUNT = 60;
    const socket = open();
    const answers = collect(socket, COUNT);
    const startMs = performance.now();
    // 972 + 28 = 1000 bytes: one millisecond each.
    for (let i = 0; i < COUNT; i++) await socket.send(new Uint8Array(972), emulated.address);
    const tookMs = (await answers).at(-1)!.atMs - startMs;
    assert.ok(tookMs >= COUNT, `${tookMs} ms`);
    // Late releases come in bunches and do not add up.
    assert.ok(tookMs <= COUNT + 500, `${tookMs} ms`);
  }));

Deno.test("EmulatedLink loses, corrupts and drops as its model says", () =>
  withLink({ mtuBytes: 1280 }, async (emulated, open) => {
    const socket = open();
    const answers = collect(socket, 1);
    await socket.send(new Uint8Array(1400), emulated.address);
    emulated.links.toTarget.change({ corruptRate: 1 });
    await socket.send(new Uint8Array(1000), emulated.address);
    const [only] = await answers;
    assert.equal(only!.bytes.length, 1000);
    assert.equal(only!.bytes.filter((byte) => byte !== 0).length, 1);
    const { toTarget, toClients } = emulated.statistics();
    assert.equal(toTarget.mtuDropped, 1);
    assert.equal(toTarget.corrupted, 1);
    assert.equal(toClients.delivered, 1);
  }));

Deno.test("link_emulator prints its port, forwards, and prints statistics at the end", async () => {
  const server = new DenoSocket(ANY);
  const heard = Promise.withResolvers<number>();
  const serving = server.receive((datagram) => heard.resolve(datagram.length));
  const program = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "-A",
      "--unstable-net",
      new URL("../support/link_emulator.ts", import.meta.url).href,
      "--target",
      `127.0.0.1:${server.localAddress.port}`,
      "--json",
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const lines = program.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const ready = await within("the port", lines.read());
  const { port } = JSON.parse(ready.value!);

  const client = new DenoSocket(ANY);
  await client.send(new Uint8Array(500), { family: 4, host: "127.0.0.1", port });
  assert.equal(await within("a datagram", heard.promise), 500);

  if (Deno.build.os === "windows") {
    // Windows ends a process without asking it: there are no statistics to read.
    program.kill();
  } else {
    program.kill("SIGTERM");
    const last = await within("the statistics", lines.read());
    assert.equal(JSON.parse(last.value!).toTarget.delivered, 1);
    assert.equal((await within("the exit", program.status)).code, 0);
  }
  await lines.cancel();
  await program.status;
  client.close();
  server.close();
  await within("the server to close", serving);
});
