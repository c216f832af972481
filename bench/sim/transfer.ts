/**
 * One whole transfer in virtual time: share() and receive() as a user calls them, real keys and
 * packets, files in memory, over two links. Nothing is read from the machine, so the same code gives
 * the same figures everywhere.
 */
import type { TransferEvent } from "../../lib/events.ts";
import type { ShareOptions } from "../../lib/options.ts";
import { receive } from "../../lib/receive.ts";
import { send } from "../../lib/share.ts";
import { MemoryNetwork } from "../../lib/transport/memory_network.ts";
import { FakeStorage } from "../../tests/support/fake_storage.ts";
import type { Link } from "../../tests/support/link.ts";
import { SimWorld } from "../../tests/support/sim_world.ts";
import type { Load, Profile } from "./profiles.ts";

/** What is measured of a transfer. */
export interface Figures {
  /** From the call of receive() to its end. */
  readonly seconds: number;
  /** Bytes of files by what the link could have carried in that time, with every header. */
  readonly share: number;
  /** Datagrams that the link lost or its queue had no room for, by all that were sent. */
  readonly lost: number;
  /** Bytes sent beyond what the files need, by those: all repeats, and what is not files. */
  readonly resent: number;
  /** The same of bytes that arrived: repeats of what was not lost. */
  readonly redundant: number;
  /** Delay of the sharer's queue while it sent, ms. */
  readonly queueMeanMs: number;
  readonly queueP95Ms: number;
}

/** A moment of a transfer. */
export interface Moment {
  /** Since the call of receive(). */
  readonly tMs: number;
  /** Bytes of files in what arrived since the moment before. */
  readonly goodputBytesPerSecond: number;
  /** What a datagram that enters now will take, there and back. */
  readonly rttMs: number;
  /** Of this in the sharer's queue. */
  readonly queueMs: number;
  /** Datagrams that the link dropped since the moment before. */
  readonly lostPackets: number;
  /** Bytes on their way to the client, headers included. */
  readonly windowBytes: number;
}

/** Which congestion control the sharer has; without a name, the one it has by default. */
export type Sending = NonNullable<ShareOptions["congestion"]> | "background" | undefined;

const SHARER = "10.0.0.1";
const CLIENT = "10.0.0.2";
const SEED = 1;
const LIMIT_MS = 3_600_000;
const QUEUE_SAMPLE_MS = 5;
/** Bytes of files in a full datagram, and what it is on an IPv4 link. */
const DATAGRAM_FILE_BYTES = 1435;
const DATAGRAM_WIRE_BYTES = 1500;
const IP_UDP_BYTES = 28;

/** Runs one. */
export class SimTransfer {
  readonly #world = new SimWorld(SEED);
  readonly #profile: Profile;
  readonly #load: Load;
  readonly #links: { readonly forth: Link; readonly back: Link };
  readonly #network: MemoryNetwork;
  readonly #queueMs: number[] = [];
  #arrivedBytes = 0;
  #beganMs = 0;
  #isOver = false;

  constructor(profile: Profile, load: Load) {
    this.#profile = profile;
    this.#load = load;
    const forth = this.#world.link(profile.forth);
    const back = this.#world.link(profile.back);
    this.#links = { forth: forth.model, back: back.model };
    this.#network = new MemoryNetwork((datagram, from, _to, arrive) => {
      if (from.host !== SHARER) return back.send(datagram, arrive);
      forth.send(datagram, (arrived) => {
        this.#arrivedBytes += arrived.length + IP_UDP_BYTES;
        arrive(arrived);
      });
    });
  }

  /**
   * @param onMoment Called every `everyMs` while it runs.
   * @throws {TransferError} If it fails.
   */
  async run(
    sending: Sending,
    onMoment?: (moment: Moment) => void,
    everyMs = 100,
  ): Promise<Figures> {
    const world = this.#world;
    const [source, target] = [new FakeStorage(), new FakeStorage()];
    const { fileCount, fileBytes } = this.#load;
    const bytes = new Uint8Array(fileBytes);
    for (let index = 0; index < fileCount; index++) {
      source.addFile(`/files/${index % 100}/${index}`, bytes);
    }
    const common = { clock: world.clock, random: world.prng, stunServers: [], portMapping: false };
    const sharing = await send(["/files"], {
      ...common,
      sockets: [this.#network.bind(SHARER, 4000)],
      addresses: [`${SHARER}:4000`],
      storage: source,
      ...(sending === "background" ? { background: true } : {}),
      ...(sending === "background" || sending === undefined ? {} : { congestion: sending }),
    });
    this.#beganMs = world.nowMs;
    const receiving = receive(sharing.code, {
      ...common,
      sockets: [this.#network.bind(CLIENT, 5000)],
      storage: target,
      directory: "/in",
    });
    this.#sampleQueue();
    if (onMoment) this.#sample(onMoment, everyMs);
    let endedMs = Number.NaN;
    const received = toEnd(receiving).then(() => {
      endedMs = world.nowMs;
      this.#isOver = true;
    });
    await world.runAsync({ until: Promise.all([toEnd(sharing), received]), limitMs: LIMIT_MS });
    return this.#figures((endedMs - this.#beganMs) / 1000);
  }

  #figures(seconds: number): Figures {
    const { forth } = this.#links;
    const { entered, lost, queueDropped, enteredBytes } = forth.counters;
    const bytes = this.#load.fileCount * this.#load.fileBytes;
    const needed = bytes * DATAGRAM_WIRE_BYTES / DATAGRAM_FILE_BYTES;
    const queue = this.#queueMs.sort((a, b) => a - b);
    return {
      seconds: rounded(seconds, 4),
      share: rounded(bytes / (seconds * this.#profile.forth.rateBytesPerSecond), 4),
      lost: rounded((lost + queueDropped) / entered, 5),
      resent: rounded(enteredBytes / needed - 1, 5),
      redundant: rounded(this.#arrivedBytes / needed - 1, 5),
      queueMeanMs: rounded(queue.reduce((sum, ms) => sum + ms, 0) / queue.length, 2),
      queueP95Ms: rounded(queue[Math.floor(0.95 * queue.length)]!, 2),
    };
  }

  get #queueNowMs(): number {
    const { rateBytesPerSecond } = this.#profile.forth;
    return this.#links.forth.queuedBytes(this.#world.nowMs) / rateBytesPerSecond * 1000;
  }

  #sampleQueue(): void {
    if (this.#isOver) return;
    this.#queueMs.push(this.#queueNowMs);
    this.#world.schedule(this.#world.nowMs + QUEUE_SAMPLE_MS, () => this.#sampleQueue());
  }

  #sample(onMoment: (moment: Moment) => void, everyMs: number): void {
    const { forth, back } = this.#links;
    let arrivedBefore = 0;
    let droppedBefore = 0;
    const tell = (): void => {
      if (this.#isOver) return;
      const { deliveredBytes, lost, queueDropped } = forth.counters;
      const dropped = lost + queueDropped;
      const queueMs = this.#queueNowMs;
      onMoment({
        tMs: this.#world.nowMs - this.#beganMs,
        goodputBytesPerSecond: Math.round(
          (this.#arrivedBytes - arrivedBefore) * DATAGRAM_FILE_BYTES / DATAGRAM_WIRE_BYTES /
            everyMs * 1000,
        ),
        rttMs: rounded(forth.options.delayMs + queueMs + back.options.delayMs, 3),
        queueMs: rounded(queueMs, 3),
        lostPackets: dropped - droppedBefore,
        windowBytes: deliveredBytes - this.#arrivedBytes,
      });
      arrivedBefore = this.#arrivedBytes;
      droppedBefore = dropped;
      this.#world.schedule(this.#world.nowMs + everyMs, tell);
    };
    this.#world.schedule(this.#beganMs + everyMs, tell);
  }
}

async function toEnd(events: AsyncIterable<TransferEvent>): Promise<void> {
  for await (const event of events) {
    if (event.event === "error") throw new Error(`${event.code}: ${event.message}`);
  }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
