/** A real sender against a client that says what a test tells it to. */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { TransferError } from "../../lib/errors.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import { buildManifest, type Manifest } from "../../lib/transfer/offer/manifest.ts";
import type { Message, RequestItem } from "../../lib/transfer/messages.ts";
import { SharerExchange, type SharerExchangeOptions } from "../../lib/transfer/sharer_exchange.ts";
import type { TransferNotice } from "../../lib/transfer/transfer_notice.ts";
import { FakeStorage } from "./fake_storage.ts";
import { MemoryLink, type MemoryLinkOptions } from "./memory_channel.ts";
import { Prng } from "./prng.ts";
import { RawPeer } from "./raw_peer.ts";
import { clientHello, reportEnd } from "./transfer_pair.ts";

/** All of an entry. */
export function all(entry: number): RequestItem {
  return { entry, ranges: [] };
}

/** A sender of `/share` (0), `big` (1), `empty` (2), `small` (3), and an evil client. */
export class SenderAttack {
  readonly storage: FakeStorage = new FakeStorage();
  readonly link: MemoryLink;
  readonly peer: RawPeer;
  /** What the sender told its owner. */
  readonly notices: TransferNotice[] = [];
  /** The bytes of `big`: three groups and a little. */
  readonly big: Uint8Array = new Prng(1).bytes(3 * GROUP_BYTES + 10);
  manifest!: Manifest;
  sender!: SharerExchange;

  constructor(link: MemoryLinkOptions = {}) {
    this.link = new MemoryLink(1, link);
    this.peer = new RawPeer(this.link.right);
    this.storage.addFile("/share/big", this.big);
    this.storage.addFile("/share/empty", "");
    this.storage.addFile("/share/small", "small");
    this.storage.addFile("/secret", "secret");
  }

  /** Sets the sender up, once the storage holds what it is to share. */
  async start(options: Partial<SharerExchangeOptions> = {}): Promise<this> {
    this.manifest = options.manifest ??
      await buildManifest(this.storage, ["/share"], { onWarning: () => {} });
    this.sender = new SharerExchange({
      channel: this.link.left,
      storage: this.storage,
      crypto: nodeProvider,
      manifest: this.manifest,
      clientHello: clientHello(),
      onEvent: (notice) => void this.notices.push(notice),
      ...options,
    });
    this.link.left.handler = this.sender;
    reportEnd(this.link.left, this.sender);
    this.sender.start();
    return this;
  }

  /** Says GET. */
  get(firstRequest: number, ...items: RequestItem[]): void {
    this.peer.say({ type: "get", firstRequest, items });
  }

  /** Says CHECK. */
  check(firstRequest: number, ...entries: number[]): void {
    this.peer.say({ type: "check", firstRequest, entries });
  }

  /** Says that requests are given up. */
  cancel(...requests: number[]): void {
    for (const request of requests) this.peer.say({ type: "cancel", request });
  }

  /** Runs until nothing moves any more, or the end. */
  async settle(): Promise<void> {
    await this.link.run(this.sender.forth.half.finished).catch(() => {});
  }

  /** Runs to the end; gives the error's code, or `"ok"`. */
  async outcome(): Promise<string> {
    await this.link.run(this.sender.forth.half.finished);
    assert.equal(this.storage.openFiles, 0);
    try {
      await this.sender.forth.half.finished;
      return "ok";
    } catch (error) {
      assert.ok(error instanceof TransferError, String(error));
      if (error.code === "internal") throw error.cause;
      return error.code;
    }
  }

  /** Number, status and sent bytes of each ROOT, in the order they came. */
  get ends(): [request: number, status: string, sentBytes: number][] {
    return this.peer.of("root").map(({ request, status, sentBytes }) => [
      request,
      status,
      sentBytes,
    ]);
  }

  /** Codes and paths of the sender's warnings. */
  get warnings(): string[] {
    return this.notices.flatMap((notice) =>
      notice.event === "warning" ? [`${notice.code} ${notice.path}`] : []
    );
  }

  /** The bytes that came for a request, put together. */
  bytesOf(request: number): Uint8Array {
    const blocks = this.peer.blocks.filter((block) => block.request === request);
    const length = Math.max(0, ...blocks.map(({ offset, bytes }) => offset + bytes.length));
    const received = new Uint8Array(length);
    for (const { offset, bytes } of blocks) received.set(bytes, offset);
    return received;
  }

  /** The messages about one request, in the order they came. */
  messagesOf(request: number): Message[] {
    return this.peer.received.filter((message) =>
      "request" in message && message.request === request
    );
  }
}
