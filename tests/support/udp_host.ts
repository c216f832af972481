/** A host that sends single datagrams and tells what it heard: see `_udp_host_main.ts`. */
import type { Host } from "./internet.ts";
import { LineProcess } from "./line_process.ts";

/** For `Internet.use`. */
export class UdpHost implements AsyncDisposable {
  readonly #process: LineProcess;

  private constructor(process: LineProcess) {
    this.#process = process;
  }

  /** Starts it. */
  static async start(host: Host): Promise<UdpHost> {
    const { process } = await LineProcess.start(host.namespace, "_udp_host_main.ts", []);
    return new UdpHost(process);
  }

  /**
   * Sends one datagram.
   *
   * @param fromPort Its own port; heard at from then on.
   * @param hops How many routers it may pass at most (default the system's).
   */
  async send(fromPort: number, toHost: string, toPort: number, hops = 0): Promise<void> {
    await this.#process.ask(`send ${fromPort} ${toHost} ${toPort} ${hops}`);
  }

  /** Who sent the last datagram to a port, as `host:port`; empty when nobody did. */
  async heard(port: number): Promise<string> {
    return await this.#process.ask(`heard ${port}`);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
