/**
 * Goal: ports are mapped by the protocols as routers speak them, and given back.
 * Method: miniupnpd behind NAT of the kernel, in namespaces; a process in the home network maps a
 * port with net permission alone, and a datagram comes from outside.
 */
import assert from "node:assert/strict";
import { HAS_NETNS, netnsTest } from "../support/netns_test_case.ts";
import {
  OUTSIDE_ADDRESS,
  ROUTER_ADDRESS,
  UpnpRouter,
  type UpnpRouterOptions,
  upnpRouterProblem,
} from "../support/upnp_router.ts";
import { within } from "../support/within.ts";

const INTERNAL_PORT = 41_234;

const problem = HAS_NETNS ? await upnpRouterProblem() : undefined;

function routerTest(name: string, run: () => Promise<void>): void {
  netnsTest(`openPortMapping ${name}`, run, problem);
}

/** The process in the home network. */
class Mapper implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #lines: string[] = [];
  #rest = "";
  #isEnded = false;

  constructor(router: UpnpRouter) {
    const [program, ...args] = router.commandIn("home", [
      ...[Deno.execPath(), "run", "--no-prompt", "--unstable-net", "--allow-net"],
      "--allow-sys=networkInterfaces",
      ...[new URL("../support/_port_mapper.ts", import.meta.url).pathname, `${INTERNAL_PORT}`],
    ]);
    this.#process = new Deno.Command(program!, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line with the field `name`; lines before it are dropped. */
  next(name: string): Promise<unknown> {
    return within(`a line with ${name}`, this.#next(name));
  }

  async #next(name: string): Promise<unknown> {
    for (;;) {
      while (this.#lines.length > 0) {
        const line = JSON.parse(this.#lines.shift()!) as Record<string, unknown>;
        if (name in line) return line[name];
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`The process ended before a line with ${name}`);
      const parts = (this.#rest + value).split("\n");
      this.#rest = parts.pop()!;
      this.#lines.push(...parts);
    }
  }

  /** Ends its input, upon which it closes the mapping. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#process.stdin.close();
  }

  /** Its exit status, soon after the end of its input: nothing keeps it alive. */
  async status(): Promise<number> {
    return (await within("the end of the process", this.#process.status)).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await this.#reader.cancel();
    await this.#process.status;
  }
}

async function mapsByOne(
  options: UpnpRouterOptions,
  by: "pcp" | "nat-pmp" | "upnp",
): Promise<void> {
  await using router = await UpnpRouter.start(options);
  await using mapper = new Mapper(router);
  const mapped = await mapper.next("mapped");
  assert.deepEqual(mapped, {
    external: { family: 4, host: OUTSIDE_ADDRESS, port: INTERNAL_PORT },
    by,
    routerAddress: { family: 4, host: ROUTER_ADDRESS },
  });
  assert.equal((await router.mappings()).length, 1);

  await router.sendFromOutside("hello from outside", INTERNAL_PORT);
  assert.equal(await mapper.next("received"), "hello from outside");

  await mapper.end();
  const outcomes = await mapper.next("outcomes") as Record<string, string>;
  assert.equal(outcomes[by], "granted");
  assert.equal(await mapper.next("closed"), true);
  await router.unmapped();
  assert.equal(await mapper.status(), 0);
}

routerTest(
  "maps a port by PCP and gives it back",
  () => mapsByOne({ upnp: false, natPmp: true, pcp: true }, "pcp"),
);

routerTest(
  "maps a port by NAT-PMP and gives it back",
  () => mapsByOne({ upnp: false, natPmp: true, pcp: false }, "nat-pmp"),
);

routerTest(
  "maps a port by UPnP and gives it back",
  () => mapsByOne({ upnp: true, natPmp: false, pcp: false }, "upnp"),
);

routerTest("makes one mapping where every protocol is there", async () => {
  await using router = await UpnpRouter.start({ upnp: true, natPmp: true, pcp: true });
  await using mapper = new Mapper(router);
  await mapper.next("mapped");
  assert.equal((await router.mappings()).length, 1);
  await mapper.end();
  assert.equal(await mapper.next("closed"), true);
  await router.unmapped();
});
