/**
 * One share and several clients that take its files, each over a link of its own, all in memory. Counts
 * what is read and hashed, and checks at every client that what came has the hashes that came with it.
 */
import assert from "node:assert/strict";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { hashGroup, sameHash } from "../../lib/transfer/hash_tree.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import type { Message, RequestItem } from "../../lib/transfer/messages.ts";
import { buildManifest, type Manifest } from "../../lib/transfer/offer/manifest.ts";
import { SharedReading } from "../../lib/transfer/sending/shared_reading.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import { FakeStorage } from "./fake_storage.ts";
import { type MemoryChannel, MemoryLink } from "./memory_channel.ts";
import { Prng } from "./prng.ts";
import { RawPeer } from "./raw_peer.ts";
import { clientHello, reportEnd } from "./transfer_pair.ts";

/** Turns without anything moving after which nothing will. */
const IDLE_TURNS = 300;

/** A peer that gives credit back for what it took. */
class TakingPeer extends RawPeer {
  /** File bytes that arrived. */
  takenBytes = 0;
  /** Whether it takes anything. */
  isTaking = true;
  readonly #channel: MemoryChannel;
  #givenBytes = 0;

  constructor(channel: MemoryChannel) {
    super(channel);
    this.#channel = channel;
  }

  override handleBlock(request: number, offset: number, bytes: Uint8Array): number {
    super.handleBlock(request, offset, bytes);
    this.takenBytes += bytes.length;
    return bytes.length;
  }

  /** Gives back credit for what came since. */
  giveCredit(): void {
    const bytes = this.takenBytes - this.#givenBytes;
    if (!this.isTaking || bytes === 0) return;
    this.#givenBytes = this.takenBytes;
    this.#channel.consumeBlockBytes(bytes);
  }
}

/** A client of the share. */
export class ReadingClient {
  readonly peer: TakingPeer;
  readonly exchange: SharerExchange;
  /** Turns that it rests for each one in which something moves. */
  restTurns = 0;
  readonly #link: MemoryLink;
  readonly #manifest: Manifest;
  #requests = 0;
  #turn = 0;

  constructor(scene: ReadingScene, seed: number) {
    this.#manifest = scene.manifest;
    this.#link = new MemoryLink(seed, { creditBytes: 2 * GROUP_BYTES, pieceBytes: GROUP_BYTES });
    const { left } = this.#link;
    this.peer = new TakingPeer(this.#link.right);
    this.exchange = new SharerExchange({
      channel: left,
      storage: scene.storage,
      manifest: scene.manifest,
      reading: scene.reading,
      crypto: scene.crypto,
      clientHello: clientHello(),
      onEvent: () => {},
    });
    left.handler = this.exchange;
    reportEnd(left, this.exchange);
    this.exchange.start();
  }

  /** Asks for files, or parts of them. */
  get(...items: RequestItem[]): void {
    this.peer.say({ type: "get", firstRequest: this.#requests, items });
    this.#requests += items.length;
  }

  /** Asks for hashes. */
  check(...entries: number[]): void {
    this.peer.say({ type: "check", firstRequest: this.#requests, entries });
    this.#requests += entries.length;
  }

  /** Moves something, if there is anything; whether there was. */
  step(): boolean {
    const { left, right } = this.#link;
    const isBusy = left.isBusy || right.isBusy;
    if (this.#turn++ % (this.restTurns + 1) === 0) {
      left.deliver();
      right.deliver();
      this.peer.giveCredit();
    }
    return isBusy;
  }

  /** Leaves. */
  async leave(): Promise<void> {
    this.#link.left.vanish();
    await this.exchange.finished;
  }

  /** How each request ended, by its number. */
  get ends(): string[] {
    const ends: string[] = [];
    for (const { request, status } of this.peer.of("root")) ends[request] = status;
    return ends;
  }

  /** The hashes that came for a request, by group. */
  hashesOf(request: number): Map<number, Uint8Array> {
    const hashes = new Map<number, Uint8Array>();
    for (const nodes of this.peer.of("nodes").filter((nodes) => nodes.request === request)) {
      for (let at = 0; at < nodes.hashes.length; at += 32) {
        const group = nodes.firstGroup + at / 32;
        assert.ok(!hashes.has(group), "a hash came twice");
        hashes.set(group, nodes.hashes.slice(at, at + 32));
      }
    }
    return hashes;
  }

  /** The bytes that came for a request of an entry, put together; checked against the hashes that came. */
  bytesOf(request: number, entry: number): Uint8Array {
    const bytes = new Uint8Array(this.#manifest.entries[entry]!.sizeBytes);
    const blocks = this.peer.blocks.filter((block) => block.request === request);
    const groups = new Set<number>();
    for (const block of blocks) {
      bytes.set(block.bytes, block.offset);
      groups.add(Math.floor(block.offset / GROUP_BYTES));
    }
    const hashes = this.hashesOf(request);
    const ends = this.peer.of("root").find((root) => root.request === request);
    for (const group of groups) {
      const part = bytes.subarray(group * GROUP_BYTES, (group + 1) * GROUP_BYTES);
      const hash = bytes.length > GROUP_BYTES ? hashes.get(group) : ends?.root;
      // A session that was left may have stopped between the two.
      if (hash === undefined) continue;
      assert.ok(sameHash(hash, hashGroup(nodeProvider, part)), `group ${group} is not its hash`);
    }
    return bytes;
  }

  /** The messages of one type that came. */
  of<Type extends Message["type"]>(type: Type): (Message & { type: Type })[] {
    return this.peer.of(type);
  }
}

/** A share under `/share`. */
export class ReadingScene {
  readonly storage: FakeStorage = new FakeStorage();
  readonly clients: ReadingClient[] = [];
  /** Bytes that were read of sources. */
  readBytes = 0;
  /** Bytes that were hashed, but for nodes of trees. */
  hashedBytes = 0;
  /** Called after each turn. */
  onTurn: () => void = () => {};
  manifest!: Manifest;
  reading!: SharedReading;
  readonly crypto = {
    ...nodeProvider,
    sha256: (...parts: Uint8Array[]): Uint8Array => {
      for (const part of parts) if (part.length > 128) this.hashedBytes += part.length;
      return nodeProvider.sha256(...parts);
    },
  };

  /** Adds a file of random bytes; gives them. */
  add(name: string, sizeBytes: number): Uint8Array {
    const bytes = new Prng(sizeBytes + name.length).bytes(sizeBytes);
    this.storage.addFile(`/share/${name}`, bytes, { mtimeMs: 1_700_000_000_000 });
    return bytes;
  }

  /** Lists what was added. Entry 0 is the folder, then come the files by their names. */
  async open(): Promise<this> {
    this.storage.onRead = (path, offset) => this.noteRead(path, offset);
    this.manifest = await buildManifest(this.storage, ["/share"], { onWarning: () => {} });
    const { storage, manifest, crypto } = this;
    this.reading = new SharedReading({ storage, manifest, crypto });
    return this;
  }

  /** Counts a read of a source. */
  noteRead(path: string, offset: number): void {
    const { sizeBytes } = this.manifest.entries.find((entry) => `/${entry.path}` === path)!;
    this.readBytes += Math.min(GROUP_BYTES, sizeBytes - offset);
  }

  /** One more client. */
  join(): ReadingClient {
    const client = new ReadingClient(this, this.clients.length + 1);
    this.clients.push(client);
    return client;
  }

  /** Runs until nothing moves any more, or something is so. */
  async run(isEnough: () => boolean = () => false): Promise<void> {
    for (let idle = 0; idle < IDLE_TURNS && !isEnough(); idle++) {
      for (const client of this.clients) if (client.step()) idle = 0;
      await null;
      this.onTurn();
    }
  }

  /** Everybody leaves; nothing is open or kept then. */
  async close(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.leave()));
    for (let turn = 0; turn < IDLE_TURNS; turn++) await null;
    assert.equal(this.storage.openFiles, 0);
    assert.equal(this.reading.openFiles, 0);
    assert.equal(this.reading.cache.size, 0);
    assert.equal(this.reading.smallFiles.keptBytes, 0);
  }
}
