/** Announcing and browsing programs on a {@linkcode LanSegment}, run in virtual time. */
import { announceShare, type ShareAnnouncement } from "../../lib/lan/announce_share.ts";
import { browseShares } from "../../lib/lan/browse_shares.ts";
import type { LanShare, LanShareEvent } from "../../lib/lan/browser.ts";
import { type DnsMessage, encodeDnsMessage } from "../../lib/lan/dns_message.ts";
import { type AnnouncedShare, recordsOf } from "../../lib/lan/share_records.ts";
import { type LanHost, LanSegment } from "./lan_segment.ts";
import { codeFor } from "./share_codes.ts";
import { SimWorld } from "./sim_world.ts";

/** A code of a share, as text. @param share Which share; codes of one differ by `host`. */
export function lanCode(share: number, host: string): string {
  return codeFor(new Uint8Array(16).fill(share), { family: 4, host, port: 4000 });
}

/** An announcement as a stranger may write it. */
export function forgedAnnouncement(
  share: Partial<AnnouncedShare> & { readonly label: string; readonly code: string },
  ttlSeconds?: number,
): Uint8Array {
  const whole = { hostName: "forger.local", port: 4000, ...share };
  const answers = recordsOf(whole, ["shares", "srv", "txt"], [], ttlSeconds);
  return encodeDnsMessage(lanMessage({ isResponse: true, answers }));
}

/** A message with what is given and nothing else. */
export function lanMessage(part: Partial<DnsMessage>): DnsMessage {
  return {
    isResponse: false,
    isTruncated: false,
    questions: [],
    answers: [],
    authorities: [],
    additionals: [],
    ...part,
  };
}

/** What a browsing program has seen. */
export class Listener {
  readonly events: LanShareEvent[] = [];
  readonly #shares = new Map<string, LanShare>();
  readonly #end = new AbortController();
  #ended: Promise<void> = Promise.resolve();

  /** For {@linkcode LanScene.browse}. */
  constructor(scene: LanScene, network: LanHost) {
    const { clock, prng: random } = scene.world;
    const { signal } = this.#end;
    const read = async () => {
      for await (const event of browseShares({ network, clock, random, signal })) {
        this.events.push(event);
        if (event.type === "gone") this.#shares.delete(event.share.id);
        else this.#shares.set(event.share.id, event.share);
      }
    };
    this.#ended = read();
  }

  /** What is there now, by when it was found. */
  get shares(): LanShare[] {
    return [...this.#shares.values()];
  }

  get names(): string[] {
    return this.shares.map(({ name }) => name);
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#ended;
  }
}

/** A segment and its programs; disposing ends them all. */
export class LanScene implements AsyncDisposable {
  readonly world: SimWorld;
  readonly segment: LanSegment;
  readonly #programs: { close(): Promise<void> }[] = [];

  constructor(seed: number) {
    this.world = new SimWorld(seed);
    this.segment = new LanSegment(this.world);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    const until = new Promise<void>((resolve) => {
      this.world.schedule(this.world.nowMs + ms, resolve);
    });
    await this.world.runAsync({ until });
  }

  async announce(network: LanHost, name: string, code: string): Promise<ShareAnnouncement> {
    const { clock, prng: random } = this.world;
    const announcement = await announceShare({ network, clock, random, name, code });
    this.#programs.push(announcement);
    return announcement;
  }

  browse(network: LanHost): Listener {
    const listener = new Listener(this, network);
    this.#programs.push(listener);
    return listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const until = Promise.all(this.#programs.map((program) => program.close()));
    await this.world.runAsync({ until });
  }
}
