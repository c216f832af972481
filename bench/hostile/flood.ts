/**
 * What a transfer keeps of its rate while strangers send garbage to its sharer, on real sockets:
 *
 * `deno run -A bench/hostile/flood.ts [--mb 512] [--rate 100000] [--runs 3] [--limit RATE]`
 *
 * Each run moves one file between two processes of the program over loopback, once alone and once
 * with a third process that sends datagrams of random bytes and of every length that means something.
 * All processes share the machine, so the third one's own work counts against the transfer too, but
 * for what a low priority and a limit of the transfer's rate (`30M` on two cores) leave to the others.
 * Prints one line of JSON.
 */
import { parseArgs } from "node:util";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { codeOf, startReceive, startSend } from "../../tests/support/cli_transfer.ts";
import { Prng } from "../../tests/support/prng.ts";
import { readCode } from "../../tests/support/share_codes.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";

const LENGTHS = [1, 12, 13, 28, 29, 64, 100, 128, 1199, 1200, 1201, 1400, 1472];
/** How often a burst of garbage leaves, ms: timers are not finer than that. */
const BURST_MS = 4;

/** Sends garbage until it is ended by the other end of its input; prints how much came of it. */
async function flood(port: number, datagramsPerSecond: number): Promise<void> {
  const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  let answers = 0;
  void socket.receive(() => answers++);
  const target = { family: 4, host: "127.0.0.1", port } as const;
  const prng = new Prng(1);
  const garbage = LENGTHS.flatMap((length) => Array.from({ length: 20 }, () => prng.bytes(length)));
  let isOver = false;
  const ended = Deno.stdin.read(new Uint8Array(1)).then(() => isOver = true);
  const startMs = performance.now();
  let sent = 0;
  while (!isOver) {
    const due = (performance.now() - startMs) * datagramsPerSecond / 1000;
    while (sent < due) await socket.send(garbage[sent++ * 7 % garbage.length]!, target);
    await new Promise((resolve) => setTimeout(resolve, BURST_MS));
  }
  await ended;
  const seconds = (performance.now() - startMs) / 1000;
  socket.close();
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ sent, answers, seconds })));
}

/** Moves the file once; MB per second, and what the flood said. */
async function transfer(
  path: string,
  into: string,
  datagramsPerSecond: number,
  limit: string | undefined,
): Promise<{ rate: number; perSecond: number; answers: number }> {
  await using sender = startSend([path], limit === undefined ? {} : { args: ["--limit", limit] });
  const code = await codeOf(sender);
  const { port } = readCode(code).candidates[0]!.address;
  const child = datagramsPerSecond === 0 ? undefined : new Deno.Command("nice", {
    args: [
      ...["-n", "19", Deno.execPath()],
      ...["run", "-A", "--unstable-net", import.meta.filename!],
      ...["--flood", `${port}`, "--rate", `${datagramsPerSecond}`],
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await using receiver = startReceive(code, into);
  await receiver.expectExit(0, 300_000);
  await sender.expectExit(0, 60_000);
  const done = await receiver.event("done");
  const rate = done.bytes / done.elapsedMs / 1000;
  if (child === undefined) return { rate, perSecond: 0, answers: 0 };
  await child.stdin.close();
  const { stdout } = await child.output();
  const { sent, answers, seconds } = JSON.parse(new TextDecoder().decode(stdout));
  return { rate, perSecond: sent / seconds, answers };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1]!;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    mb: { type: "string", default: "512" },
    rate: { type: "string", default: "100000" },
    runs: { type: "string", default: "3" },
    limit: { type: "string" },
    flood: { type: "string" },
  },
});
if (values.flood !== undefined) {
  await flood(Number(values.flood), Number(values.rate));
} else {
  await using temp = await TempFolder.make();
  const path = temp.at("file");
  const file = await Deno.open(path, { write: true, create: true });
  const prng = new Prng(1);
  for (let written = 0; written < Number(values.mb); written++) {
    await file.write(prng.bytes(1_000_000));
  }
  file.close();
  const alone: number[] = [];
  const flooded: number[] = [];
  let [perSecond, answers] = [0, 0];
  for (let run = 0; run < Number(values.runs); run++) {
    alone.push((await transfer(path, temp.at(`alone ${run}`), 0, values.limit)).rate);
    const result = await transfer(
      path,
      temp.at(`flooded ${run}`),
      Number(values.rate),
      values.limit,
    );
    flooded.push(result.rate);
    perSecond = Math.max(perSecond, result.perSecond);
    answers += result.answers;
    for (const name of ["alone", "flooded"]) {
      await Deno.remove(temp.at(`${name} ${run}`), { recursive: true });
    }
  }
  const [before, after] = [median(alone), median(flooded)];
  const row = {
    aloneMBps: Math.round(before),
    floodedMBps: Math.round(after),
    kept: Math.round(after / before * 100) / 100,
    garbagePerSecond: Math.round(perSecond),
    answers,
  };
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(row)}\n`));
}
