/**
 * A home network in Linux namespaces: a machine, a router with NAT and Debian's miniupnpd (UPnP,
 * NAT-PMP, PCP), and a machine outside. Made and removed by the test; nothing of the system's own
 * network is touched.
 */
import { within } from "./within.ts";

/** The router's address in the home network. */
export const ROUTER_ADDRESS = "192.168.77.1";
/**
 * The router's outside address. miniupnpd refuses to map ports of addresses reserved for examples, so
 * it is one of the ordinary Internet; it exists only in the namespaces.
 */
export const OUTSIDE_ADDRESS = "11.7.7.1";

const HOME_ADDRESS = "192.168.77.23";
const STRANGER_ADDRESS = "11.7.7.9";
const PROGRAMS = ["/usr/sbin/ip", "/usr/sbin/nft", "/usr/sbin/miniupnpd"];

/** What of miniupnpd is on. */
export interface UpnpRouterOptions {
  readonly upnp: boolean;
  readonly natPmp: boolean;
  /** PCP is part of NAT-PMP in miniupnpd; false drops its datagrams. */
  readonly pcp: boolean;
}

/** Why there can be no such router where namespaces can be made; undefined when there can. */
export async function upnpRouterProblem(): Promise<string | undefined> {
  for (const program of PROGRAMS) {
    try {
      await Deno.stat(program);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return `needs ${program}`;
    }
  }
  const name = `p2pft-try-${Deno.pid}`;
  await must(["ip", "netns", "add", name]);
  try {
    const { success } = await run(["ip", "netns", "exec", name, "nft", "-f", "-"], NAT_RULES);
    return success ? undefined : "needs NAT in the kernel (nftables)";
  } finally {
    await run(["ip", "netns", "del", name]);
  }
}

/** The network; `await using` removes it. */
export class UpnpRouter implements AsyncDisposable {
  readonly #prefix: string;
  readonly #folder: string;
  readonly #daemon: Deno.ChildProcess;
  #log: Promise<void> | undefined;

  private constructor(prefix: string, folder: string, daemon: Deno.ChildProcess) {
    this.#prefix = prefix;
    this.#folder = folder;
    this.#daemon = daemon;
  }

  /** Makes the namespaces and starts miniupnpd; resolves when it answers. */
  static async start(options: UpnpRouterOptions): Promise<UpnpRouter> {
    const prefix = `p2pft-${Deno.pid}-${nextNumber++}`;
    const folder = await Deno.makeTempDir({ prefix: "p2pft-upnp-" });
    try {
      for (const part of PARTS) await must(["ip", "netns", "add", `${prefix}-${part}`]);
      await connect(prefix, ["home", HOME_ADDRESS], ["router", ROUTER_ADDRESS], "lan");
      await connect(prefix, ["outside", STRANGER_ADDRESS], ["router", OUTSIDE_ADDRESS], "wan");
      const inRouter = ["ip", "netns", "exec", `${prefix}-router`];
      await must(["ip", "-n", `${prefix}-home`, "route", "add", "default", "via", ROUTER_ADDRESS]);
      await must([...inRouter, "sysctl", "-qw", "net.ipv4.ip_forward=1"]);
      await must([...inRouter, "nft", "-f", "-"], NAT_RULES);
      // The first byte of a request of PCP is its version, 2; of NAT-PMP it is 0.
      if (!options.pcp) await must([...inRouter, "nft", "-f", "-"], DROP_PCP);
      const config = `${folder}/miniupnpd.conf`;
      await Deno.writeTextFile(config, configOf(options, folder));
      const [program, ...args] = [
        ...inRouter,
        ...["miniupnpd", "-d", "-f", config, "-P", `${folder}/pid`],
      ];
      const daemon = new Deno.Command(program!, {
        args,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const router = new UpnpRouter(prefix, folder, daemon);
      const listening = Promise.withResolvers<void>();
      router.#log = router.#readLog(listening.resolve);
      await within("miniupnpd", listening.promise);
      return router;
    } catch (error) {
      await removeNamespaces(prefix);
      await Deno.remove(folder, { recursive: true });
      throw error;
    }
  }

  /** A command line that runs `args` in the home network or outside. */
  commandIn(part: "home" | "outside", args: readonly string[]): string[] {
    return ["ip", "netns", "exec", `${this.#prefix}-${part}`, ...args];
  }

  /** Sends `text` from outside to a port of the router. */
  async sendFromOutside(text: string, port: number): Promise<void> {
    const script = `printf %s '${text}' > /dev/udp/${OUTSIDE_ADDRESS}/${port}`;
    await must(this.commandIn("outside", ["bash", "-c", script]));
  }

  /** The rules by which the router maps ports: one line each. */
  async mappings(): Promise<string[]> {
    const listing = await must([
      ...["ip", "netns", "exec", `${this.#prefix}-router`],
      ...["nft", "list", "chain", "inet", "filter", "prerouting_miniupnpd"],
    ]);
    return listing.split("\n").filter((line) => line.includes("dnat"));
  }

  /** Waits until the router maps no port. */
  async unmapped(): Promise<void> {
    let isGivenUp = false;
    const empty = (async () => {
      while (!isGivenUp && (await this.mappings()).length > 0);
    })();
    try {
      await within("the end of every mapping", empty);
    } finally {
      isGivenUp = true;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#daemon.kill("SIGKILL");
    await this.#log;
    await this.#daemon.status;
    await removeNamespaces(this.#prefix);
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Reads the log to its end: a daemon whose pipe is full stands still. */
  async #readLog(onListening: () => void): Promise<void> {
    for await (const text of this.#daemon.stderr.pipeThrough(new TextDecoderStream())) {
      if (/listening on|Listening for/.test(text)) onListening();
    }
  }
}

let nextNumber = 0;

const PARTS = ["home", "router", "outside"] as const;

const NAT_RULES = `table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain prerouting {
    type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd;
  }
  chain postrouting {
    type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd;
    oifname "wan" masquerade
  }
}
`;

const DROP_PCP = `table inet no_pcp {
  chain input {
    type filter hook input priority 0; policy accept; udp dport 5351 @th,64,8 2 drop
  }
}
`;

function configOf(options: UpnpRouterOptions, folder: string): string {
  return `ext_ifname=wan
ext_ip=${OUTSIDE_ADDRESS}
listening_ip=lan
http_port=5000
enable_natpmp=${options.natPmp ? "yes" : "no"}
enable_upnp=${options.upnp ? "yes" : "no"}
min_lifetime=120
max_lifetime=86400
secure_mode=yes
system_uptime=yes
notify_interval=60
uuid=00000000-0000-4000-8000-000000000077
lease_file=${folder}/leases
upnp_forward_chain=miniupnpd
upnp_nat_chain=prerouting_miniupnpd
upnp_nat_postrouting_chain=postrouting_miniupnpd
upnp_table_name=filter
upnp_nat_table_name=filter
allow 1024-65535 192.168.77.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
`;
}

type End = readonly [part: typeof PARTS[number], address: string];

/** Joins two namespaces by a cable; the router's end is called `name`, the other `eth0`. */
async function connect(prefix: string, machine: End, router: End, name: string): Promise<void> {
  const [machineNs, routerNs] = [`${prefix}-${machine[0]}`, `${prefix}-${router[0]}`];
  await must([
    ...["ip", "-n", routerNs, "link", "add", name, "type", "veth"],
    ...["peer", "name", "eth0", "netns", machineNs],
  ]);
  for (
    const [ns, device, address] of [[machineNs, "eth0", machine[1]], [routerNs, name, router[1]]]
  ) {
    await must(["ip", "-n", ns!, "address", "add", `${address}/24`, "dev", device!]);
    await must(["ip", "-n", ns!, "link", "set", device!, "up"]);
    await must(["ip", "-n", ns!, "link", "set", "lo", "up"]);
  }
}

async function removeNamespaces(prefix: string): Promise<void> {
  for (const part of PARTS) await run(["ip", "netns", "del", `${prefix}-${part}`]);
}

async function run(
  [program, ...args]: readonly string[],
  input = "",
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const process = new Deno.Command(program!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = process.stdin.getWriter();
  // A program that does not read its input closes it.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

async function must(command: readonly string[], input?: string): Promise<string> {
  const { success, stdout, stderr } = await run(command, input);
  if (!success) throw new Error(`${command.join(" ")} failed: ${stderr}`);
  return stdout;
}
