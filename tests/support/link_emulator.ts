/**
 * The link emulator as a program around `emulated_link.ts`:
 *
 * `deno run -A tests/support/link_emulator.ts --target 127.0.0.1:5000 --rate 100mbit --rtt 50
 * --loss 0.01 --jitter 5 --seed 7 --json`
 *
 * It prints one line when it is ready (with `--json`: `{"port":…}`) and, at SIGTERM or SIGINT, one
 * line of statistics. Rates are per direction; the round trip is split evenly; loss and the other
 * faults act in both directions.
 */
import { parseArgs } from "node:util";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { EmulatedLink, type EmulatedLinkOptions } from "./emulated_link.ts";
import type { LinkOptions } from "./link.ts";

const USAGE = `link_emulator --target HOST:PORT [options]
  --listen [HOST:]PORT   where clients send to (default 127.0.0.1:0, any free port)
  --rate RATE            e.g. 100mbit, 1.5gbit, 256kbit; per direction (default unlimited)
  --rtt MS               round trip, half of it each way (default 0)
  --queue BYTES          in front of each transmitter (default one bandwidth-delay product)
  --mtu BYTES            largest IP packet (default 1500)
  --loss FRACTION        lost at random, e.g. 0.01
  --burst ENTER:LENGTH   lost in bursts: chance that one begins, mean length in datagrams
  --jitter MS            extra delay from 0 to MS each way; --jitter-kind smooth|independent
  --reorder FRACTION     held back; --reorder-ms MS for how long (default 10)
  --duplicate FRACTION   arrive twice
  --corrupt FRACTION     arrive with a bit flipped
  --seed N               what chance comes from (default 1)
  --json                 print lines of JSON
`;

const MIN_QUEUE_BYTES = 15_000;

/** Bytes per second of a rate such as `100mbit`. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(k|m|g)?bit$/.exec(text);
  if (match === null) throw new RangeError(`Cannot read rate ${text}: write it like 100mbit`);
  const scale = { k: 1e3, m: 1e6, g: 1e9 }[match[2] as "k" | "m" | "g"] ?? 1;
  return Number(match[1]) * scale / 8;
}

/** Reads the command line. */
export function parseEmulatorArguments(
  args: readonly string[],
): { options: EmulatedLinkOptions; json: boolean } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      listen: { ...text, default: "127.0.0.1:0" },
      target: text,
      rate: text,
      rtt: { ...text, default: "0" },
      queue: text,
      mtu: text,
      loss: text,
      burst: text,
      jitter: text,
      "jitter-kind": text,
      reorder: text,
      "reorder-ms": text,
      duplicate: text,
      corrupt: text,
      seed: { ...text, default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  if (values.target === undefined) throw new RangeError("Cannot start without --target HOST:PORT");
  const target = parseAddress(values.target);
  const listen = parseAddress(
    values.listen.includes(":") ? values.listen : `127.0.0.1:${values.listen}`,
  );
  const link: { -readonly [K in keyof LinkOptions]: LinkOptions[K] } = {};
  const rttMs = parseNumber("rtt", values.rtt);
  link.delayMs = rttMs / 2;
  if (values.rate !== undefined) {
    const rate = parseRate(values.rate);
    link.rateBytesPerSecond = rate;
    link.queueBytes = Math.max(MIN_QUEUE_BYTES, rate * rttMs / 1000);
  }
  if (values.queue !== undefined) link.queueBytes = parseNumber("queue", values.queue);
  if (values.mtu !== undefined) link.mtuBytes = parseNumber("mtu", values.mtu);
  if (values.loss !== undefined) link.lossRate = parseNumber("loss", values.loss);
  if (values.burst !== undefined) {
    const [enter = "", length = ""] = values.burst.split(":");
    link.burstLoss = {
      enterRate: parseNumber("burst", enter),
      leaveRate: 1 / parseNumber("burst", length),
    };
  }
  if (values.jitter !== undefined) link.jitterMs = parseNumber("jitter", values.jitter);
  const kind = values["jitter-kind"];
  if (kind === "smooth" || kind === "independent") link.jitterKind = kind;
  else if (kind !== undefined) throw new RangeError(`Cannot use --jitter-kind ${kind}`);
  if (values.reorder !== undefined) link.reorderRate = parseNumber("reorder", values.reorder);
  const reorderMs = values["reorder-ms"];
  if (reorderMs !== undefined) link.reorderMs = parseNumber("reorder-ms", reorderMs);
  if (values.duplicate !== undefined) {
    link.duplicateRate = parseNumber("duplicate", values.duplicate);
  }
  if (values.corrupt !== undefined) link.corruptRate = parseNumber("corrupt", values.corrupt);
  const seed = parseNumber("seed", values.seed);
  return { options: { listen, target, toTarget: link, toClients: link, seed }, json: values.json };
}

function parseNumber(name: string, text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < 0) {
    throw new RangeError(`Cannot use --${name} ${text}: it must be a number from 0`);
  }
  return value;
}

function parseAddress(text: string): SocketAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new RangeError(`Cannot read address ${text}`);
  const six = match[1];
  return six === undefined ? { family: 4, host: match[2]!, port } : { family: 6, host: six, port };
}

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

/** Runs the program until a signal ends it. */
async function runLinkEmulator(args: readonly string[]): Promise<void> {
  if (args.includes("--help")) return await print(USAGE);
  const { options, json } = parseEmulatorArguments(args);
  // Listened to before the port is told: from then on a signal may come at any time.
  const { promise: signalled, resolve } = Promise.withResolvers<void>();
  // Windows has no SIGTERM to listen to.
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) Deno.addSignalListener(signal, resolve);

  const emulator = new EmulatedLink(options);
  const { host, port } = emulator.address;
  await print(json ? JSON.stringify({ port }) : `Listening on ${host}:${port}`);
  await signalled;
  const statistics = emulator.statistics();
  await print(json ? JSON.stringify(statistics) : Deno.inspect(statistics));
  await emulator.close();
  for (const signal of signals) Deno.removeSignalListener(signal, resolve);
}

if (import.meta.main) await runLinkEmulator(Deno.args);
