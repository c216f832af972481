/** A stranger that pours datagrams over a socket of the program. */
import type { SocketAddress } from "../../lib/nat/address.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { Prng } from "./prng.ts";

const BURST_DATAGRAMS = 100;
/** Around every length that means something, nothing at all, and more than fits into a frame. */
const LENGTHS = [0, 1, 12, 13, 28, 64, 100, 128, 1199, 1200, 1201, 1400, 1472, 9000];

/** What a {@linkcode Flood} came to. */
export interface FloodResult {
  /** Datagrams that were sent. */
  readonly sent: number;
  /** Datagrams that came back. */
  readonly answers: number;
}

/** Datagrams of random bytes and of all lengths that mean something, from now on until it is stopped. */
export class Flood {
  readonly #socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  readonly #running: Promise<void>;
  #sent = 0;
  #answers = 0;
  #isStopped = false;

  /**
   * Begins.
   *
   * @param pauseMs Between two bursts; by default as fast as timers allow.
   */
  constructor(target: SocketAddress, pauseMs = 0) {
    void this.#socket.receive(() => this.#answers++);
    const prng = new Prng(1);
    this.#running = (async () => {
      while (!this.#isStopped) {
        for (let index = 0; index < BURST_DATAGRAMS; index++) {
          await this.#socket.send(prng.bytes(prng.pick(LENGTHS)), target);
          this.#sent++;
        }
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    })();
  }

  /** Ends it. */
  async stop(): Promise<FloodResult> {
    this.#isStopped = true;
    await this.#running;
    this.#socket.close();
    return { sent: this.#sent, answers: this.#answers };
  }
}
