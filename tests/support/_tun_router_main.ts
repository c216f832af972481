/**
 * A router in user space: reads what comes to a TUN device, translates it as a {@linkcode NatRouter}
 * says, and writes it back for the kernel to pass on. IPv4 and UDP only; everything else is dropped
 * and never answered, so there are no ICMP errors from it.
 *
 * Run in the router's namespace by `tun_router.ts`, which also lays the routes that lead here; its
 * one argument is {@linkcode TunRouterSetup} as JSON. It takes the lines of {@linkcode answer}.
 */
import type { SocketAddress } from "../../lib/nat/address.ts";
import { ConntrackBox } from "./conntrack_box.ts";
import {
  destinationOf,
  type Ipv4Endpoint,
  ipv4FromText,
  ipv4ToText,
  setDestination,
  setSource,
  setTtl,
  sourceOf,
  ttlOf,
  udpOffset,
} from "./ipv4_udp.ts";
import { answerLines } from "./line_process.ts";
import { NatBox, type NatRouter } from "./nat_box.ts";
import { Prng } from "./prng.ts";
import { TunDevice } from "./tun_device.ts";
import type { TunRouterSetup, TunRouterStats, TunTrouble } from "./tun_router.ts";

/** Packets handled before the program looks at timers and standard input again. */
const BATCH_PACKETS = 64;
/** Nothing depends on it: whatever else happens wakes the program by itself. */
const LONGEST_WAIT_MS = 1_000;
const MAX_PACKET_BYTES = 65_536;
const MAX_REMEMBERED_ADDRESSES = 65_536;
const MAX_TTL = 255;

/** Packets held back for a while, in order. */
class DelayLine {
  readonly #waiting: { readonly dueMs: number; readonly packet: Uint8Array<ArrayBuffer> }[] = [];

  /** Puts a copy of a packet in, or through when there is no delay and nothing in front of it. */
  push(packet: Uint8Array<ArrayBuffer>, delayMs: number): void {
    if (delayMs === 0 && this.#waiting.length === 0) {
      device.write(packet);
      return;
    }
    this.#waiting.push({ dueMs: performance.now() + delayMs, packet: packet.slice() });
    if (this.#waiting.length === 1) setTimeout(() => this.#release(), delayMs);
  }

  #release(): void {
    const nowMs = performance.now();
    while (this.#waiting.length > 0 && this.#waiting[0]!.dueMs <= nowMs) {
      device.write(this.#waiting.shift()!.packet);
    }
    const next = this.#waiting[0];
    if (next !== undefined) setTimeout(() => this.#release(), next.dueMs - nowMs);
  }
}

const setup: TunRouterSetup = JSON.parse(Deno.args[0]!);
const prng = new Prng(setup.seed);
const router: NatRouter = setup.linux === undefined
  ? new NatBox({ externalHost: setup.externalHost, ...setup.nat }, prng)
  : new ConntrackBox({ externalHost: setup.externalHost, ...setup.linux }, prng);
const insideNetworks = setup.insideNetworks.map((network) => {
  const [host, bits] = network.split("/");
  const shift = 32 - Number(bits);
  return { shift, prefix: ipv4FromText(host!) >>> shift };
});
const device = new TunDevice("tun0");
const lines = { out: new DelayLine(), in: new DelayLine() };
const trouble: Record<keyof TunTrouble, number> = {
  lossOut: 0,
  lossIn: 0,
  delayOutMs: 0,
  delayInMs: 0,
  ...setup.trouble,
};
const stats = { packetsOut: 0, packetsIn: 0, filtered: 0, lost: 0, notUdp: 0 };

const addresses = new Map<number, SocketAddress>();

/** Text of addresses is made once: there are few of them and many packets. */
function toAddress({ host, port }: Ipv4Endpoint): SocketAddress {
  const key = host * 65_536 + port;
  let address = addresses.get(key);
  if (address === undefined) {
    if (addresses.size >= MAX_REMEMBERED_ADDRESSES) addresses.clear();
    address = { family: 4, host: ipv4ToText(host), port };
    addresses.set(key, address);
  }
  return address;
}

function toEndpoint({ host, port }: SocketAddress): Ipv4Endpoint {
  return { host: ipv4FromText(host), port };
}

function isInside(host: number): boolean {
  return insideNetworks.some(({ shift, prefix }) => host >>> shift === prefix);
}

function handle(packet: Uint8Array<ArrayBuffer>): void {
  const udpAt = udpOffset(packet);
  if (udpAt === 0) {
    stats.notUdp++;
    return;
  }
  const nowMs = performance.now();
  const source = sourceOf(packet, udpAt);
  const from = toAddress(source);
  const to = toAddress(destinationOf(packet, udpAt));
  const isOut = isInside(source.host) && to.host !== router.externalHost;
  let translated: { readonly from?: SocketAddress; readonly to?: SocketAddress } | undefined;
  if (isOut) {
    const external = router.outbound(nowMs, from, to);
    translated = external && { from: external };
  } else if (isInside(source.host)) {
    translated = router.hairpin(nowMs, from, to);
  } else {
    const inside = router.inbound(nowMs, from, to);
    translated = inside && { to: inside };
  }
  if (translated === undefined) {
    stats.filtered++;
    return;
  }
  if (translated.from !== undefined) setSource(packet, udpAt, toEndpoint(translated.from));
  if (translated.to !== undefined) setDestination(packet, udpAt, toEndpoint(translated.to));
  // The kernel counts one hop on the way here and one on the way from here; a router is one.
  setTtl(packet, Math.min(MAX_TTL, ttlOf(packet) + 1));
  if (prng.chance(isOut ? trouble.lossOut : trouble.lossIn)) {
    stats.lost++;
    return;
  }
  if (isOut) stats.packetsOut++;
  else stats.packetsIn++;
  if (isOut) lines.out.push(packet, trouble.delayOutMs);
  else lines.in.push(packet, trouble.delayInMs);
}

/**
 * `flush` forgets all mappings, `renumber ADDRESS` gives it another outside address, `set NAME
 * VALUE` changes one of {@linkcode TunTrouble}, `stats` asks for {@linkcode TunRouterStats}. The
 * answer is `{}` or what was asked for, as JSON.
 */
function answer(line: string): string {
  const [verb, ...words] = line.split(" ");
  switch (verb) {
    case "flush":
      router.flush();
      return "{}";
    case "renumber":
      router.renumber(words[0]!);
      return "{}";
    case "set":
      trouble[words[0] as keyof TunTrouble] = Number(words[1]);
      return "{}";
    case "stats":
      return JSON.stringify({ ...stats, mappings: router.size } satisfies TunRouterStats);
    default:
      throw new RangeError(`Cannot do ${line}`);
  }
}

async function route(): Promise<never> {
  const buffer = new Uint8Array(MAX_PACKET_BYTES);
  for (;;) {
    await device.readable(LONGEST_WAIT_MS);
    for (let count = 0; count < BATCH_PACKETS; count++) {
      const length = device.read(buffer);
      if (length === 0) break;
      handle(buffer.subarray(0, length));
    }
  }
}

await Promise.race([route(), answerLines("{}", answer)]);
