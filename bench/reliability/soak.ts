/**
 * Real transfers for minutes while things go wrong: a sharer that lives all the time, a client that
 * lives all the time and receives again and again, and one that is killed again and again. Each has an
 * emulated line to the sharer that stalls, and behind which its port changes.
 */
import { assertSameFiles } from "../../tests/support/tree.ts";
import { LinkInFront } from "../../tests/support/cli_transfer.ts";
import { makeKillTree } from "../../tests/support/kill_run.ts";
import { Prng } from "../../tests/support/prng.ts";
import { TempFolder } from "../../tests/support/temp_folder.ts";
import { renderParagraph, renderTable } from "../document_section.ts";
import { JsonProcess } from "./json_process.ts";
import { MemoryLog } from "./memory_log.ts";
import { formatBytes, formatCount, type Section } from "./section.ts";
import type { ClientOrder, ClientSaid, MemorySaid, SharerSaid } from "./soak_words.ts";

const LINE = { rateBytesPerSecond: 10_000_000, queueBytes: 200_000, delayMs: 5, lossRate: 0.001 };
/** How long nothing gets through; a connection bears the longest, too. */
const STALLS_MS = [100, 500, 2000, 8000];
const PAUSE_MS = { least: 100, most: 3000 };
/** How a receive may end before it is done: it was killed, or the line was dead for too long. */
const EARLY_ENDS = ["killed", "path_lost", "timed_out"];
/** Shorter soaks are mostly the start of programs. */
const MEMORY_MATTERS_MINUTES = 5;

/** What was done and what came of it. */
class SoakTally {
  transfers = 0;
  kills = 0;
  stalls = 0;
  rebindings = 0;
  bytes = 0;
  resumedBytes = 0;
  /** Receives that ended early and were begun again. */
  retries = 0;
}

/** A folder that is shared, and where it goes. */
interface Ground {
  readonly folder: TempFolder;
  readonly source: string;
  readonly sourceBytes: number;
  readonly code: string;
  readonly deadlineMs: number;
}

/** Runs one. @throws {Error} When a transfer ends as it must not, or brings other files. */
export async function measureSoak(minutes: number, seed: number, parent: string): Promise<Section> {
  await using folder = await TempFolder.make(parent);
  const source = await folder.folder("source");
  const sourceBytes = await makeKillTree(source);
  const memory = { sharer: new ProcessMemory(), client: new ProcessMemory() };
  const { promise: shared, resolve: onCode } = Promise.withResolvers<string>();
  await using _sharer = new JsonProcess<SharerSaid>("_soak_sharer_main.ts", [source], (said) => {
    if ("code" in said) onCode(said.code);
    else memory.sharer.add(said);
  });
  const code = await shared;
  const deadlineMs = performance.now() + minutes * 60_000;
  const ground: Ground = { folder, source, sourceBytes, code, deadlineMs };
  const tally = new SoakTally();
  const lanes = [
    new Lane(ground, tally, { random: new Prng(seed), memory: memory.client }),
    new Lane(ground, tally, { random: new Prng(seed + 1), memory: undefined }),
  ];
  await Promise.all(lanes.map((lane) => lane.run()));
  // An allocator may keep what was given back to it: what grows in earnest is in use.
  const isFlat = memory.sharer.used.isFlat && memory.client.used.isFlat;
  const problems = minutes < MEMORY_MATTERS_MINUTES || isFlat ? [] : ["memory grows in the soak"];
  return { text: render(minutes, tally, memory), problems };
}

/** Memory of one process. */
class ProcessMemory {
  readonly resident = new MemoryLog();
  readonly used = new MemoryLog();

  add({ rss, used }: MemorySaid): void {
    this.resident.add(rss);
    this.used.add(used);
  }
}

/** A client, one transfer after the other. */
class Lane {
  readonly #ground: Ground;
  readonly #tally: SoakTally;
  readonly #random: Prng;
  /** Of a client that lives all the time; the others are killed. */
  readonly #memory: ProcessMemory | undefined;
  #client: JsonProcess<ClientSaid> | undefined;
  #onEnd = (_end: string): void => {};

  constructor(
    ground: Ground,
    tally: SoakTally,
    { random, memory }: { readonly random: Prng; readonly memory: ProcessMemory | undefined },
  ) {
    this.#ground = ground;
    this.#tally = tally;
    this.#random = random;
    this.#memory = memory;
  }

  /** Goes on until the time is over, and ends what was begun. */
  async run(): Promise<void> {
    const { folder, source, sourceBytes, deadlineMs } = this.#ground;
    const directory = folder.at(this.#memory === undefined ? "killed" : "steady");
    try {
      while (performance.now() < deadlineMs) {
        for (let end = await this.#take(directory); end !== "done";) {
          if (!EARLY_ENDS.includes(end)) throw new Error(`A receive ended with ${end}`);
          this.#tally.retries++;
          end = await this.#take(directory);
        }
        await assertSameFiles(`${directory}/source`, source);
        await Deno.remove(directory, { recursive: true });
        this.#tally.transfers++;
        this.#tally.bytes += sourceBytes;
      }
    } finally {
      await this.#client?.[Symbol.asyncDispose]();
    }
  }

  /** One receive through a line of its own; gives how it ended. */
  async #take(directory: string): Promise<string> {
    await using front = new LinkInFront(this.#ground.code, LINE);
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    this.#onEnd = resolve;
    const client = this.#client ??= this.#start();
    const order: ClientOrder = { code: front.code, directory };
    await client.say(order);
    let isOver = false;
    const end = ended.finally(() => isOver = true);
    // Then it has to come to its end; killed all the time it would not, on a busy machine.
    while (!isOver && performance.now() < this.#ground.deadlineMs) {
      await Promise.race([end, elapse(this.#random.between(PAUSE_MS.least, PAUSE_MS.most))]);
      if (!isOver) await this.#trouble(front, end);
    }
    return await end;
  }

  #start(): JsonProcess<ClientSaid> {
    return new JsonProcess<ClientSaid>("_soak_client_main.ts", [], (said) => {
      if ("rss" in said) return this.#memory?.add(said);
      this.#tally.resumedBytes += said.resumedBytes;
      this.#onEnd(said.end);
    });
  }

  async #trouble(front: LinkInFront, end: Promise<unknown>): Promise<void> {
    const kinds = this.#memory === undefined ? ["stall", "rebind", "kill"] : ["stall", "rebind"];
    const kind = this.#random.pick(kinds);
    const { links } = front.link;
    if (kind === "rebind") {
      this.#tally.rebindings++;
      front.link.rebind();
    } else if (kind === "stall") {
      this.#tally.stalls++;
      links.toTarget.up = links.toClients.up = false;
      await Promise.race([end, elapse(this.#random.pick(STALLS_MS))]);
      links.toTarget.up = links.toClients.up = true;
    } else {
      this.#tally.kills++;
      const client = this.#client!;
      this.#client = undefined;
      client.kill();
      await client.ended();
      this.#onEnd("killed");
    }
  }
}

function render(
  minutes: number,
  tally: SoakTally,
  memory: { readonly sharer: ProcessMemory; readonly client: ProcessMemory },
): string {
  const { transfers, kills, stalls, rebindings, bytes, resumedBytes, retries } = tally;
  const done = [
    "minutes",
    "transfers",
    "bytes",
    "kills",
    "stalls",
    "changes of port",
    "begun again",
  ];
  const figures = [minutes, transfers, formatBytes(bytes), kills, stalls, rebindings, retries];
  const rows = Object.entries(memory).flatMap(([name, { resident, used }]) =>
    ([["in use", used], ["resident", resident]] as const).map(([kind, log]) => [
      `${name}, ${kind}`,
      formatBytes(log.firstBytes),
      formatBytes(log.lastBytes),
      formatBytes(log.peakBytes),
    ])
  );
  return [
    renderTable(done, [
      figures.map((figure) => typeof figure === "number" ? formatCount(figure) : figure),
    ]),
    renderTable(["memory", "first third", "last third", "most"], rows),
    renderParagraph(
      `Medians of a sample each second, of the two processes that lived all the time. In use are ` +
        `objects and buffers; of what was given back the allocator keeps much resident. A client ` +
        `that was killed holds its buffers at the sharer for 30 s. Every transfer was compared with its source. What was begun again went on with what was here, all ` +
        `together ${formatBytes(resumedBytes)} of large files.`,
    ),
  ].join("\n\n");
}

function elapse(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
