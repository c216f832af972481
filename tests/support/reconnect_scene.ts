/**
 * A share and those who receive from it, each a program on a machine of its own that can sleep or
 * die, over lines that can be cut: as share() and receive() are called, in virtual time, with files
 * in memory.
 */
import assert from "node:assert/strict";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { ReceiveOptions, ShareOptions, ShareSource } from "../../lib/options.ts";
import { type Receive, receive } from "../../lib/receive.ts";
import { send, type Share, share } from "../../lib/share.ts";
import { EventLog } from "./event_log.ts";
import { FakeStorage } from "./fake_storage.ts";
import { RoamingNetwork, type RoamingSocket, SimProcess } from "./sim_process.ts";
import type { LinkOptions } from "./link.ts";
import { type SimLink, SimWorld } from "./sim_world.ts";

const MIB = 1024 * 1024;
/** Where files are shared from. */
export const SOURCE = "/home/share";
const TARGET = "/home/in";
/** When what is shared was changed last. */
const FOLDER_TIME_MS = 1_500_000_000_000;
const SHARER_HOST = "10.0.0.1";
/** Eight seconds for what is shared here. */
const LINE = { delayMs: 20, rateBytesPerSecond: MIB, queueBytes: 100_000 };

/** A program that runs. */
interface Running {
  readonly process: SimProcess;
  readonly socket: RoamingSocket;
  readonly log: EventLog;
  readonly storage: FakeStorage;
}

/** The side that shares. */
export interface Sharer extends Running {
  readonly sharing: Share;
}

/** A side that receives. */
export interface Client extends Running {
  readonly receiving: Receive;
}

/** One world. */
export class ReconnectScene {
  readonly world: SimWorld;
  readonly #network: RoamingNetwork;
  readonly #links = new Map<string, SimLink>();
  readonly #clockSleeps: boolean;
  readonly #lossRate: number;
  #clientCount = 0;

  /** @param options `clockSleeps`: see {@linkcode SimProcess}; `lossRate`: of every line. */
  constructor(
    seed: number,
    options: { readonly clockSleeps?: boolean } & Pick<LinkOptions, "lossRate"> = {},
  ) {
    this.world = new SimWorld(seed);
    this.#clockSleeps = options.clockSleeps ?? false;
    this.#lossRate = options.lossRate ?? 0;
    this.#network = new RoamingNetwork((datagram, from, to, arrive) => {
      const line = `${from.host} ${to.host}`;
      const link = this.#links.get(line) ?? this.world.link({ ...LINE, lossRate: this.#lossRate });
      this.#links.set(line, link);
      link.send(datagram, arrive);
    });
  }

  /** Sends a large file and small ones, or something else. */
  send(options: ShareOptions = {}, source: ShareSource = [SOURCE]): Promise<Sharer> {
    return this.#begin(send, source, options);
  }

  /** Shares the same with many, or something else. */
  share(options: ShareOptions = {}, source: ShareSource = [SOURCE]): Promise<Sharer> {
    return this.#begin(share, source, options);
  }

  async #begin(
    operation: typeof share,
    source: ShareSource,
    options: ShareOptions,
  ): Promise<Sharer> {
    const prng = this.world.prng.fork();
    const storage = new FakeStorage();
    storage.addFolder(SOURCE, FOLDER_TIME_MS);
    storage.addFile(`${SOURCE}/large.bin`, prng.bytes(8 * MIB + prng.integer(0, MIB)));
    for (let index = 0; index < 20; index++) {
      storage.addFile(`${SOURCE}/small ${index}`, prng.bytes(prng.integer(1, 20_000)));
    }
    const running = this.#start(SHARER_HOST, 4000, storage);
    const sharing = await operation(source, {
      ...this.#common(running),
      addresses: [`${SHARER_HOST}:4000`],
      ...options,
    });
    return { ...running, sharing, log: new EventLog(this.world, sharing) };
  }

  /** Receives, each client on a machine of its own. */
  receive(code: string, options: ReceiveOptions = {}, storage = new FakeStorage()): Client {
    const host = `10.0.0.${10 + ++this.#clientCount}`;
    const running = this.#start(host, 5000, storage);
    const receiving = receive(code, {
      ...this.#common(running),
      directory: TARGET,
      ...options,
    });
    return { ...running, receiving, log: new EventLog(this.world, receiving) };
  }

  /** Cuts the line between the sharer and a client, or mends it. */
  setLine(client: Client, isUp: boolean): void {
    const { host } = client.socket.localAddress;
    for (const line of [`${host} ${SHARER_HOST}`, `${SHARER_HOST} ${host}`]) {
      this.#links.get(line)!.model.up = isUp;
    }
  }

  /** Gives a machine another address and port, as a router does that forgot. */
  rebind({ socket }: Running, address: Pick<SocketAddress, "host" | "port">): void {
    socket.rebind({ family: 4, ...address });
  }

  /** Resolves when so many bytes of the transfer are done. */
  async reached(client: Client, bytes: number): Promise<void> {
    await client.log.first("progress", ({ bytesDone }) => bytesDone >= bytes);
  }

  /** Resolves after a while. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.world.schedule(this.world.nowMs + ms, resolve));
  }

  /** Lets time pass until a script is at its end. */
  run(script: () => Promise<void>): Promise<void> {
    return this.world.runAsync({ until: script(), limitMs: 7_200_000 });
  }

  #start(host: string, port: number, storage: FakeStorage) {
    const process = new SimProcess(this.world, { clockSleeps: this.#clockSleeps });
    const socket = process.bind(this.#network, { family: 4, host, port });
    return { process, socket, storage };
  }

  #common({ process, socket, storage }: Omit<Running, "log">): ShareOptions & ReceiveOptions {
    const { clock } = process;
    return { clock, random: this.world.prng, sockets: [socket], storage, stunServers: [] };
  }
}

/** Asserts that a client ended well and that every byte arrived. */
export async function assertArrived(from: Sharer, to: Client): Promise<void> {
  const last = await to.log.ended;
  assert.equal(last.event, "done", JSON.stringify(to.log.told.slice(-5)));
  const here = (path: string) => path.replace(SOURCE, `${TARGET}/share`);
  const sources = from.storage.paths(SOURCE);
  assert.deepEqual(to.storage.paths(TARGET), [`${TARGET}/share`, ...sources.map(here)].sort());
  for (const path of sources) {
    const [source, target] = [from.storage.get(path)!, to.storage.get(here(path))!];
    assert.equal(Buffer.compare(target.bytes, source.bytes), 0, path);
  }
  assert.equal(to.storage.get(`${TARGET}/share`)!.mtimeMs, FOLDER_TIME_MS);
  assert.equal(to.storage.openFiles, 0);
}

/**
 * Bytes of files that moved in the sessions of a client: in each what was done less what was here
 * when it began.
 */
export function movedBytes({ log }: Client): number {
  let moved = 0;
  let inSession = 0;
  for (const { event } of log.told) {
    if (event.event === "progress") inSession = event.bytesDone - (event.keptBytes ?? 0);
    if (event.event === "reconnecting" || event.event === "done") {
      moved += inSession;
      inSession = 0;
    }
  }
  return moved;
}
