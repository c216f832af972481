/**
 * A site's router as Linux itself makes one: masquerading for IPv4, a stateful firewall for IPv6, by
 * nftables or iptables, whichever works here. Not every kernel has them;
 * {@linkcode kernelRouterTool} says.
 *
 * Connection tracking is not a NAT of RFC 4787: it keeps a port as long as nothing else uses it
 * towards the same remote, and filters by address and port.
 */
import type { Site } from "./internet.ts";
import { Namespaces, runShell } from "./netns.ts";

/** The program that sets the kernel's rules. */
export type KernelRouterTool = "nft" | "iptables";

/** What a router is like. */
export interface KernelRouterOptions {
  /**
   * How outside ports are chosen (default preserving). `random` draws one from the connection's
   * hash, `fully_random` from chance.
   */
  readonly ports?: "preserving" | "random" | "fully_random";
  /** What becomes of datagrams to the router itself (default dropped). */
  readonly input?: "accept" | "drop";
}

const NFT_FLAG = { preserving: "", random: "random", fully_random: "fully-random" };
const IPTABLES_FLAG = { preserving: "", random: "--random", fully_random: "--random-fully" };

/** Makes a site's router translate (IPv4) and filter (IPv6) from now on. */
export async function startKernelRouter(
  site: Site,
  tool: KernelRouterTool,
  options: KernelRouterOptions = {},
): Promise<void> {
  await site.router.shell(tool === "nft" ? nftScript(options) : iptablesScript(options));
}

/** What sets the kernel's rules here; undefined when nothing does. */
export async function kernelRouterTool(): Promise<KernelRouterTool | undefined> {
  await using namespaces = await Namespaces.open();
  for (const [tool, script] of [["nft", nftScript], ["iptables", iptablesScript]] as const) {
    const namespace = await namespaces.add(tool);
    try {
      await runShell(script({ ports: "fully_random" }), [], namespace.wrapper);
      return tool;
    } catch (error) {
      // The script's own message says which part is missing; the next tool may have it.
      if (!(error instanceof Error)) throw error;
    }
  }
  return undefined;
}

function nftScript({ ports = "preserving", input = "drop" }: KernelRouterOptions): string {
  return `PATH=$PATH:/usr/sbin:/sbin; nft -f - <<'END'
    table inet p2pft {
      chain input {
        type filter hook input priority 0; policy ${input};
        ct state established,related accept
        iifname != "wan" accept
        meta l4proto { icmp, ipv6-icmp } accept
      }
      chain forward {
        type filter hook forward priority 0; policy drop;
        ct state established,related accept
        iifname != "wan" accept
        meta l4proto ipv6-icmp accept
      }
    }
    table ip p2pft_nat {
      chain postrouting {
        type nat hook postrouting priority 100;
        oifname "wan" masquerade ${NFT_FLAG[ports]}
      }
    }\nEND`;
}

function iptablesScript({ ports = "preserving", input = "drop" }: KernelRouterOptions): string {
  const chain = (tool: string, name: string, policy: string, icmp: string) => `
    ${tool} -P ${name} ${policy.toUpperCase()}
    ${tool} -A ${name} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
    ${tool} -A ${name} ! -i wan -j ACCEPT
    ${icmp === "" ? "" : `${tool} -A ${name} -p ${icmp} -j ACCEPT`}`;
  return `PATH=$PATH:/usr/sbin:/sbin
    ${chain("iptables", "INPUT", input, "icmp")}
    ${chain("iptables", "FORWARD", "drop", "")}
    ${chain("ip6tables", "INPUT", input, "ipv6-icmp")}
    ${chain("ip6tables", "FORWARD", "drop", "ipv6-icmp")}
    iptables -t nat -A POSTROUTING -o wan -j MASQUERADE ${IPTABLES_FLAG[ports]}`;
}
