/**
 * The middle of a small Internet: three routers in a row. What is attached goes to the two outer ones
 * in turn, so that between any two neighbours in that order there are as many hops as it takes to
 * tell a datagram that opens its sender's own NATs from one that reaches the other side's.
 *
 * ```text
 *   1st, 3rd, … ─ west ─ middle ─ east ─ 2nd, 4th, …
 * ```
 */
import type { Namespace, Namespaces } from "./netns.ts";

/** What everything attached has as its gateway. */
export const GATEWAY_V4 = "44.0.0.1";
/** The same for IPv6. */
export const GATEWAY_V6 = "2600:44::1";

const MIDDLE_V4 = "44.255.0.1";

/** An outer router. */
export interface CoreEnd {
  readonly namespace: Namespace;
  /** The middle router's interface towards it, and its addresses there. */
  readonly port: string;
  readonly v4: string;
  readonly v6: string;
}

/** The three routers. */
export class InternetCore {
  readonly #middle: Namespace;
  readonly #ends: readonly [CoreEnd, CoreEnd];
  #attachedCount = 0;

  private constructor(middle: Namespace, ends: readonly [CoreEnd, CoreEnd]) {
    this.#middle = middle;
    this.#ends = ends;
  }

  /** Makes them. */
  static async open(namespaces: Namespaces): Promise<InternetCore> {
    const middle = await namespaces.add("middle", { forwards: true });
    const [west, east] = [await makeEnd("west", 1), await makeEnd("east", 2)];
    return new InternetCore(middle, [west, east]);

    async function makeEnd(port: string, number: number): Promise<CoreEnd> {
      const namespace = await namespaces.add(port, { forwards: true });
      const [v4, v6] = [`44.255.${number}.1`, `2600:44:fffe:${number}::`];
      await middle.shell(`
        ip link add name ${port} type veth peer name middle netns ${namespace.name}
        ip link set ${port} up
        ip address add ${MIDDLE_V4}/32 dev ${port}
        ip address add ${v6}1/64 dev ${port}
        ip route add ${v4}/32 dev ${port}`);
      await namespace.shell(`
        ip link set middle up
        ip address add ${GATEWAY_V4}/32 dev lo
        ip address add ${v4}/32 dev middle
        ip address add ${v6}2/64 dev middle
        ip route add ${MIDDLE_V4}/32 dev middle
        ip route add default via ${MIDDLE_V4}
        ip -6 route add default via ${v6}1`);
      return { namespace, port, v4, v6: `${v6}2` };
    }
  }

  /**
   * Where the next one is attached.
   *
   * @param networks What is behind it, as `address/bits` of either family.
   * @returns The router whose business it is to know where exactly.
   */
  async attach(networks: readonly string[]): Promise<Namespace> {
    const end = this.#ends[this.#attachedCount++ % 2]!;
    const { port, v4, v6 } = end;
    const routes = networks.map((network) =>
      network.includes(":")
        ? `ip -6 route add ${network} via ${v6} dev ${port}`
        : `ip route add ${network} via ${v4} dev ${port}`
    );
    await this.#middle.shell(routes.join("\n"));
    return end.namespace;
  }
}
