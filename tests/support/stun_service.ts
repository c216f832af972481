/**
 * STUN servers at both addresses of a public host, ports 3478 and 3479: Debian's coturn, or our own
 * (`stun_server.ts`), which needs nothing that is not here.
 */
import type { Internet } from "./internet.ts";
import { LineProcess } from "./line_process.ts";
import { measureNat } from "./nat_behaviour.ts";
import { hasProgram } from "./netns.ts";

const COTURN = "turnserver";
/** Enough for a start on a busy machine. */
const START_TRIES = 40;

/** Two STUN servers on one host. */
export class StunService implements AsyncDisposable {
  /** IPv4, as `--stun` takes them. */
  readonly servers: readonly [string, string] = ["44.0.0.2", "44.0.0.3"];
  /** IPv6, as `--stun` takes them. Our own server only. */
  readonly servers6: readonly [string, string] = ["2600:44::2", "2600:44::3"];
  readonly #stop: () => Promise<void>;

  private constructor(stop: () => Promise<void>) {
    this.#stop = stop;
  }

  /** Starts our own. */
  static async start(internet: Internet): Promise<StunService> {
    const { namespace } = await internet.publicHost(["44.0.0.2", "44.0.0.3"]);
    const args = ["44.0.0.2,44.0.0.3", "2600:44::2,2600:44::3"];
    const { process } = await LineProcess.start(namespace, "_stun_server_main.ts", args);
    return new StunService(() => process[Symbol.asyncDispose]());
  }

  /** Starts coturn, which must be installed. */
  static async startCoturn(internet: Internet): Promise<StunService> {
    const host = await internet.publicHost(["44.0.0.2", "44.0.0.3"]);
    const files = await Deno.makeTempDir({ prefix: "p2pft-coturn-" });
    // No configuration file, STUN only, and nothing outside of the folder.
    const words = `${COTURN} -n -S --no-tls --no-dtls --no-cli --listening-ip 44.0.0.2
      --listening-ip 44.0.0.3 --listening-port 3478 --alt-listening-port 3479 --log-file stdout
      --simple-log --pidfile ${files}/pid --userdb ${files}/db`.split(/\s+/);
    const output = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = host.namespace.command(words, output).spawn();
    const service = new StunService(async () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await child.status;
      await Deno.remove(files, { recursive: true });
    });
    for (let count = 0; count < START_TRIES; count++) {
      if ((await measureNat(host, service.servers)).address !== undefined) return service;
    }
    await service[Symbol.asyncDispose]();
    throw new Error("coturn does not answer");
  }

  /** Why coturn cannot be started here; undefined when it can. */
  static async coturnProblem(): Promise<string | undefined> {
    return await hasProgram(COTURN) ? undefined : "needs turnserver from coturn";
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
