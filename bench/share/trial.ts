/** What one measurement of a share comes to. */
import { codeFor, readCode } from "../../tests/support/share_codes.ts";
import { jainIndex } from "./fairness.ts";
import { ClientsProcess, joinByReply, SharerProcess } from "./share_processes.ts";

/** How long transfers run before it counts, ms: windows open, rates find each other. */
const WARM_UP_MS = 5000;
/** How often resident memory is looked at, ms. */
const MEMORY_LOOK_MS = 250;

/** Some clients that take what they can for a while. */
export interface RateRow {
  readonly clients: number;
  /** File bytes to all of them, per second. */
  readonly bytesPerSecond: number;
  /** The index of Jain over what each got: 1 when all got the same. */
  readonly jain: number;
  /** Processor time of the sharer for 10^9 file bytes, s. */
  readonly cpuSecondsPerGb: number;
  /** Processors that the process of the clients kept busy. */
  readonly clientsBusy: number;
  /** Largest resident memory of the sharer, bytes. */
  readonly residentBytes: number;
}

/** What a share is measured with. */
export interface Ground {
  /** What is shared: a folder with a small file and a large one. */
  readonly path: string;
  /** How long it counts, s. */
  readonly seconds: number;
}

/**
 * Lets clients take what they can.
 *
 * @param flags Told to the runtime of the sharer.
 */
export async function measureRate(
  { path, seconds }: Ground,
  clients: number,
  flags: readonly string[] = [],
): Promise<RateRow> {
  await using sharer = await SharerProcess.start(path, flags);
  await using receivers = new ClientsProcess();
  await receivers.connect(sharer.code, clients);
  await elapse(WARM_UP_MS);
  const before = await receivers.count();
  const [cpuBefore, clientsCpuBefore] = [sharer.cpuSeconds, receivers.cpuSeconds];
  let residentBytes = 0;
  const timer = setInterval(
    () => residentBytes = Math.max(residentBytes, sharer.residentBytes),
    MEMORY_LOOK_MS,
  );
  await elapse(seconds * 1000);
  clearInterval(timer);
  const after = await receivers.count();
  const cpu = sharer.cpuSeconds - cpuBefore;
  const clientsCpu = receivers.cpuSeconds - clientsCpuBefore;
  const took = after.bytes.map((bytes, index) => bytes - before.bytes[index]!);
  const total = sum(took);
  const tookSeconds = (after.atMs - before.atMs) / 1000;
  return {
    clients,
    bytesPerSecond: total / tookSeconds,
    jain: jainIndex(took),
    cpuSecondsPerGb: cpu / (total / 1e9),
    clientsBusy: clientsCpu / tookSeconds,
    residentBytes,
  };
}

/** Somebody who joined by a reply code again and again. */
export interface Joins {
  /** From paste to the first file, ms, each time. */
  readonly tookMs: readonly number[];
  /** File bytes that the others got meanwhile, per second. */
  readonly bytesPerSecond: number;
}

/**
 * Lets somebody join by a reply code again and again, while others take what they can. Those are
 * elsewhere in earnest, so their process leaves the processors of this machine to whoever joins.
 */
export async function measureJoins(
  { path }: Ground,
  clients: number,
  times: number,
): Promise<Joins> {
  await using sharer = await SharerProcess.start(path);
  await using receivers = new ClientsProcess();
  if (clients > 0) await receivers.connect(sharer.code, clients, "giving-way");
  // Bound, so that nobody else is there, and never read.
  const nobody = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  try {
    const { port } = nobody.addr as Deno.NetAddr;
    const dead = codeFor(readCode(sharer.code).t, { family: 4, host: "127.0.0.1", port });
    await elapse(WARM_UP_MS);
    const before = await receivers.count();
    const tookMs: number[] = [];
    for (let count = 0; count < times; count++) tookMs.push(await joinByReply(sharer, dead));
    const after = await receivers.count();
    const seconds = (after.atMs - before.atMs) / 1000;
    return { tookMs, bytesPerSecond: (sum(after.bytes) - sum(before.bytes)) / seconds };
  } finally {
    nobody.close();
  }
}

/** What clients hold at the sharer that are of no use to it, bytes for each. */
export interface HeldRow {
  /** They acknowledge what comes and take nothing out of their memory. */
  readonly takingNothing: number;
  /** They are gone without a word, in the middle; just then. */
  readonly killed: number;
  /** The same, seconds later. */
  readonly silent: number;
}

/** How long after a client was killed what it holds is looked at again, ms. */
export const SILENT_MS = 5000;

/** Measures what clients hold that stall, or are gone. */
export async function measureHeld({ path }: Ground, clients: number): Promise<HeldRow> {
  await using sharer = await SharerProcess.start(path);
  const emptyBytes = await sharer.usedBytes();
  const perClient = async () => (await sharer.usedBytes() - emptyBytes) / clients;
  const takingNothing = await (async () => {
    await using receivers = new ClientsProcess();
    await receivers.connect(sharer.code, clients, "stalled");
    await elapse(WARM_UP_MS);
    return await perClient();
  })();
  await using other = await SharerProcess.start(path);
  const otherEmptyBytes = await other.usedBytes();
  await using receivers = new ClientsProcess();
  await receivers.connect(other.code, clients);
  await elapse(WARM_UP_MS);
  receivers.kill();
  const held = async () => (await other.usedBytes() - otherEmptyBytes) / clients;
  const killed = await held();
  await elapse(SILENT_MS);
  return { takingNothing, killed, silent: await held() };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
