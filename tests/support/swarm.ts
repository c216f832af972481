/**
 * One transfer and all that may befall it: a random subset of troubles, each of random strength, of
 * the line, of the two machines, of their disks and of the files. Two people keep at it: one starts
 * the share again when it ended, the other the receive, with the code there is. Then the troubles
 * end, and it must come to its end too.
 */
import assert from "node:assert/strict";
import type { ErrorCode, TransferError } from "../../lib/errors.ts";
import type { TransferEvent } from "../../lib/events.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import { receive } from "../../lib/receive.ts";
import { send } from "../../lib/share.ts";
import { FILE_LANES, MAX_RESUMING_PARTS } from "../../lib/transfer/limits.ts";
import type { CrashDisk } from "./crash_disk.ts";
import { CrashStorage } from "./crash_storage.ts";
import type { CrashStorageOptions } from "./disk_steps.ts";
import { randomFaults } from "./faults.ts";
import type { LinkOptions } from "./link.ts";
import type { Prng } from "./prng.ts";
import { RoamingNetwork, type RoamingSocket, SimProcess } from "./sim_process.ts";
import type { SimLink } from "./sim_world.ts";
import { SimWorld } from "./sim_world.ts";
import { SOURCE, SwarmTree, TARGET } from "./swarm_tree.ts";

/** How long there are troubles, ms. */
const TROUBLE_MS = 15_000;
/**
 * How long it may take from then on: a peer that is gone is noticed after half a minute, a share that
 * is gone a while after that, and what is here may be asked for once more from the beginning.
 */
const HEALED_MS = 120_000;
/** Patience of the person who receives, ms. */
const TIMEOUT_MS = 20_000;
/** How soon a person starts a program again, ms. */
const AGAIN_MS = 300;
const SHARER_HOST = "10.0.0.1";
const CLIENT_HOST = "10.0.0.2";

/** How a transfer may end while there are troubles. Anything else is a fault of ours. */
const EXPECTED_ERRORS: ReadonlySet<ErrorCode> = new Set([
  "disk_full",
  "interrupted",
  "path_lost",
  "peer_unreachable",
  "read_failed",
  "share_closed",
  "timed_out",
  "write_failed",
]);

type Who = "sharer" | "client";

/** A program and what it works with. */
interface Running {
  readonly process: SimProcess;
  readonly socket: RoamingSocket;
  readonly storage: CrashStorage;
  readonly interrupt: AbortController;
}

/** One world. */
export class Swarm {
  readonly world: SimWorld;
  /** What befell it, for a failing seed. */
  readonly troubles: string[] = [];
  readonly #prng: Prng;
  readonly #tree: SwarmTree;
  readonly #network: RoamingNetwork;
  readonly #links: Record<Who, SimLink>;
  readonly #diskOptions: CrashStorageOptions;
  readonly #isSlow: boolean;
  readonly #running: Partial<Record<Who, Running>> = {};
  #nextPort = 4000;
  #code: string | undefined;
  #isOver = false;

  constructor(seed: number) {
    this.world = new SimWorld(seed);
    this.#prng = this.world.prng.fork();
    this.#tree = new SwarmTree(this.world.prng.fork());
    this.#diskOptions = {
      answersAtOnce: this.#prng.chance(0.5),
      syncsAll: this.#prng.chance(0.5),
      renamesExclusively: this.#prng.chance(0.5),
    };
    this.#isSlow = this.#prng.chance(0.2);
    this.#links = {
      sharer: this.world.link(this.#lineFrom("sharer")),
      client: this.world.link(this.#lineFrom("client")),
    };
    this.#network = new RoamingNetwork((datagram, from, _to, arrive) => {
      this.#links[from.host === SHARER_HOST ? "sharer" : "client"].send(datagram, arrive);
    });
  }

  /** Runs it to its end. */
  async run(): Promise<void> {
    this.#planTroubles();
    this.world.schedule(TROUBLE_MS, () => this.#heal());
    const client = this.#keepReceiving();
    const sharer = this.#keepSharing();
    await this.world.runAsync({
      until: Promise.all([client, sharer]),
      limitMs: TROUBLE_MS + HEALED_MS,
    });
    this.#tree.assertComplete();
  }

  // ---- the two people ----

  async #keepSharing(): Promise<void> {
    while (!this.#isOver) {
      const running = this.#start("sharer", SHARER_HOST, this.#tree.source);
      const { process: { clock, killed }, socket, storage, interrupt } = running;
      const last = await Promise.race([
        (async () => {
          const sharing = await send([SOURCE], {
            clock,
            random: this.world.prng,
            sockets: [socket],
            addresses: [`${SHARER_HOST}:${socket.localAddress.port}`],
            storage,
            signal: interrupt.signal,
          });
          this.#code = sharing.code;
          return await lastOf(sharing);
        })().catch((error) => error),
        killed,
      ]);
      this.#code = undefined;
      this.#checkEnd("sharer", last, running);
      running.process.kill();
      await this.#sleep(AGAIN_MS);
    }
  }

  async #keepReceiving(): Promise<void> {
    for (;;) {
      if (this.#code === undefined) {
        await this.#sleep(AGAIN_MS);
        continue;
      }
      const running = this.#start("client", CLIENT_HOST, this.#tree.target);
      const { process: { clock, killed }, socket, storage, interrupt } = running;
      const receiving = receive(this.#code, {
        clock,
        random: this.world.prng,
        sockets: [socket],
        directory: TARGET,
        storage,
        overwrite: "always",
        timeoutMs: TIMEOUT_MS,
        signal: interrupt.signal,
      });
      const last = await Promise.race([lastOf(receiving), killed]);
      this.#checkEnd("client", last, running);
      running.process.kill();
      if (this.#isComplete(last)) break;
      await this.#sleep(AGAIN_MS);
    }
    this.#isOver = true;
    this.#running.sharer?.interrupt.abort();
  }

  #start(who: Who, host: string, disk: CrashDisk): Running {
    const process = new SimProcess(this.world);
    const socket = process.bind(this.#network, this.#freshAddress(host));
    const pause = (): Promise<void> => this.#sleep(this.#prng.chance(0.1) ? 20 : 0.1);
    const storage = new CrashStorage(disk, {
      ...this.#diskOptions,
      ...(this.#isSlow ? { pause } : {}),
    });
    return this.#running[who] = { process, socket, storage, interrupt: new AbortController() };
  }

  /**
   * All that was offered is here, and it is what there is now: the sharer leaves out what it cannot
   * read, and tells nobody else.
   */
  #isComplete(last: TransferEvent | Error | void): boolean {
    if (!last || last instanceof Error || last.event !== "done" || last.leftOut > 0) return false;
    assert.equal(last.exit, 0);
    return this.#tree.looksComplete;
  }

  #checkEnd(who: Who, last: TransferEvent | Error | void, { storage }: Running): void {
    if (who === "client") this.#tree.assertNothingWrong();
    assert.ok(storage.peakOpenFiles <= FILE_LANES + MAX_RESUMING_PARTS, "too many open files");
    if (!last) return;
    this.#note(`${who} ended: ${last instanceof Error ? last : JSON.stringify(last)}`);
    assert.equal(storage.openFiles, 0, `the ${who} left files open`);
    if (last instanceof Error) {
      const { code } = last as Partial<TransferError>;
      assert.ok(code === "read_failed" || code === "interrupted", `the ${who} threw ${last}`);
    } else if (last.event === "error") {
      assert.ok(EXPECTED_ERRORS.has(last.code), `the ${who} ended with ${JSON.stringify(last)}`);
    } else {
      assert.equal(last.event, "done");
    }
  }

  // ---- troubles ----

  #planTroubles(): void {
    const kinds: Record<string, () => void> = {
      "the line is cut": () => this.#cutLine(),
      "the client has another address": () => this.#rebind(),
      "a machine sleeps": () => this.#putToSleep(),
      "a program is killed": () => this.#kill(this.#anybody()),
      "the power of a machine is cut": () => this.#cutPower(this.#anybody()),
      "somebody presses Ctrl-C": () => this.#running[this.#anybody()]?.interrupt.abort(),
      "a disk fails once": () => this.#failDisk("failure"),
      "a disk is full for a while": () => this.#failDisk("no_space"),
      "a file changes": () => this.#tree.change(),
      "a file is away for a while": () => this.#takeAway(),
    };
    for (const [name, act] of Object.entries(kinds)) {
      if (!this.#prng.chance(0.3)) continue;
      for (let count = this.#prng.integer(1, 3); count > 0; count--) {
        // Most of it soon, while there is something to disturb.
        const atMs = TROUBLE_MS * this.#prng.fraction() ** 2;
        this.world.schedule(atMs, () => {
          this.#note(name);
          if (!this.#isOver) act();
        });
      }
    }
  }

  #heal(): void {
    this.#note("healed");
    this.world.heal();
    for (const disk of [this.#tree.source, this.#tree.target]) {
      disk.fault = undefined;
      disk.makeRoom();
    }
  }

  /** The line from somebody: it would take some seconds at least. */
  #lineFrom(who: Who): LinkOptions {
    const rate = (this.#tree.bytes + 100_000) / this.#prng.between(0.5, 8);
    const plain: LinkOptions = { delayMs: this.#prng.between(0.5, 80) };
    const line = this.#prng.chance(0.7) ? randomFaults(this.#prng) : plain;
    return who === "client" ? line : { ...line, rateBytesPerSecond: rate, queueBytes: 100_000 };
  }

  #cutLine(): void {
    // Some of the cuts are longer than a connection waits.
    const untilMs = this.world.nowMs + this.#prng.pick([100, 1000, 5000, 40_000]);
    const links = this.#prng.pick([["sharer"], ["client"], ["sharer", "client"]] as const);
    for (const who of links) this.#links[who].model.up = false;
    this.world.schedule(Math.min(untilMs, TROUBLE_MS), () => {
      for (const who of links) this.#links[who].model.up = true;
    });
  }

  #rebind(): void {
    const host = this.#prng.chance(0.5) ? CLIENT_HOST : `10.0.0.${this.#prng.integer(3, 200)}`;
    this.#running.client?.socket.rebind(this.#freshAddress(host));
  }

  #putToSleep(): void {
    const untilMs = this.world.nowMs + this.#prng.pick([200, 3000, 20_000]);
    this.#running[this.#anybody()]?.process.sleep(untilMs);
  }

  #kill(who: Who): void {
    this.#running[who]?.process.kill();
  }

  #cutPower(who: Who): void {
    const place = who === "sharer" ? "source" : "target";
    const disk = this.#tree[place];
    disk.cutPower();
    this.#tree[place] = disk.reboot(this.#prng.fork());
    this.#kill(who);
    this.#tree.assertNothingWrong();
  }

  #failDisk(kind: "failure" | "no_space"): void {
    const disk = this.#tree[this.#prng.pick(["source", "target"] as const)];
    disk.fault = { call: disk.calls + this.#prng.integer(0, 30), kind };
    this.world.schedule(this.world.nowMs + 2000, () => disk.makeRoom());
  }

  #takeAway(): void {
    const putBack = this.#tree.takeAway();
    this.world.schedule(Math.min(this.world.nowMs + 2000, TROUBLE_MS), () => {
      if (!this.#isOver) putBack();
    });
  }

  #anybody(): Who {
    return this.#prng.pick(["sharer", "client"] as const);
  }

  #freshAddress(host: string): SocketAddress {
    return { family: 4, host, port: this.#nextPort++ };
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.schedule(this.world.nowMs + ms, resolve));
  }

  #note(what: string): void {
    this.troubles.push(`${Math.round(this.world.nowMs)} ms: ${what}`);
  }
}

async function lastOf(events: AsyncIterable<TransferEvent>): Promise<TransferEvent | undefined> {
  let last: TransferEvent | undefined;
  for await (const event of events) last = event;
  return last;
}
