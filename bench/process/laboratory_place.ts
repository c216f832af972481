/**
 * Two hosts in namespaces with an emulated line between them, which carries TCP and UDP alike: what
 * `deno task bench --natlab PATH` measures on. The emulator is a program in C of the laboratory; it
 * tells what it carried and dropped, and its processor time is counted apart from the tools'. For
 * loopback both sides are in one namespace, whose TCP can be set as on the lines.
 */
import { Laboratory } from "../lab/laboratory.ts";
import { laboratorySites, type PathShape } from "./path.ts";
import type { Host, Place } from "./place.ts";
import { cpuSecondsOf } from "./process_usage.ts";

/** What the emulator did in the direction from the sender to the receiver, since it was started. */
export interface LinkCounters {
  /** Bytes of Ethernet frames that it handed on. */
  readonly carriedBytes: number;
  /** Packets lost at random. */
  readonly lost: number;
  /** Packets that found the queue full. */
  readonly queueDrops: number;
  /** Its processor time, s; packets on their way through the kernel of both hosts included. */
  readonly cpuSeconds: number;
}

/** A laboratory of one line, until its scope is left. */
export class LaboratoryPlace implements Place, AsyncDisposable {
  readonly sender: Host;
  readonly receiver: Host;
  readonly helper: Host;
  readonly #laboratory: Laboratory;
  /** Process ids. */
  readonly #emulators: readonly number[];

  private constructor(laboratory: Laboratory, emulators: readonly number[]) {
    this.#laboratory = laboratory;
    this.#emulators = emulators;
    const host = (name: string, address: string): Host => ({
      address,
      wrapper: laboratory.inside(name),
    });
    const isLoopback = emulators.length === 0;
    this.sender = host("a1", isLoopback ? "127.0.0.1" : "44.0.1.11");
    this.receiver = isLoopback ? this.sender : host("b1", "44.0.2.11");
    this.helper = isLoopback ? this.sender : host("pub", "44.0.0.10");
  }

  /**
   * Builds one; needs Linux and root.
   *
   * @param natlab Path of the laboratory's program.
   * @param shape The line; loopback without it.
   */
  static async build(natlab: string, shape?: PathShape): Promise<LaboratoryPlace> {
    const sites = shape === undefined ? ["a=none"] : laboratorySites(shape);
    const laboratory = await Laboratory.build(natlab, sites);
    const state = JSON.parse(await Deno.readTextFile(laboratory.file("state.json")));
    const emulators = (state.procs as { pid: number; what: string }[])
      .filter(({ what }) => what.startsWith("wire-")).map(({ pid }) => pid);
    return new LaboratoryPlace(laboratory, emulators);
  }

  /** Has TCP of both hosts use a congestion control of the kernel. */
  async useCongestionControl(name: string): Promise<void> {
    for (const { wrapper } of [this.sender, this.receiver]) {
      const [program, ...args] = [...wrapper, "sysctl", "-qw"];
      const { success, stderr } = await new Deno.Command(program!, {
        args: [...args, `net.ipv4.tcp_congestion_control=${name}`],
      }).output();
      if (!success) throw new Error(`Cannot use ${name}: ${new TextDecoder().decode(stderr)}`);
    }
  }

  /** What the emulator did so far; undefined over loopback. */
  async counters(): Promise<LinkCounters | undefined> {
    if (this.#emulators.length === 0) return undefined;
    using socket = await Deno.connect({
      transport: "unix",
      path: this.#laboratory.file("wire-a1.sock"),
    });
    await socket.write(new TextEncoder().encode("stats\n"));
    const { up } = await new Response(socket.readable).json();
    return {
      carriedBytes: up.tx_bytes,
      lost: up.lost,
      queueDrops: up.queue_drop,
      cpuSeconds: this.#emulators.reduce((sum, pid) => sum + cpuSecondsOf(pid), 0),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#laboratory[Symbol.asyncDispose]();
  }
}
