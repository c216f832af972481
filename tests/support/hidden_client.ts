/**
 * A client that cannot get through by itself: nothing answers at the address in its code, so that its
 * reply code has to be pasted where the share runs.
 */
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { CliProcess } from "./cli_process.ts";
import { codeFor, readCode } from "./share_codes.ts";

/** One client, for `await using`. */
export class HiddenClient implements AsyncDisposable {
  readonly #blackHole = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  /** Its process. */
  readonly receiver: CliProcess;

  /**
   * Starts `receive --json`.
   *
   * @param code The code of the share.
   * @param directory Where to receive into.
   */
  constructor(code: string, directory: string) {
    void this.#blackHole.receive(() => {});
    const hiddenCode = codeFor(readCode(code).t, this.#blackHole.localAddress);
    const words = ["receive", "--json", "--allow-loopback", "--output", directory, hiddenCode];
    this.receiver = new CliProcess(words);
  }

  /** The reply code that it shows. */
  async replyCode(): Promise<string> {
    return (await this.receiver.event("reply-code")).code;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver[Symbol.asyncDispose]();
    this.#blackHole.close();
  }
}
