/**
 * Mends a session whose path is dead because a router forgot it and now uses another port: the side
 * that was renumbered cannot tell the other, whose router lets nothing else in. So the one opens many
 * ports and the other tries many, as in a first meeting, but both act at once: both have noticed.
 *
 * What the session finds by itself is not waited for here: paths that it knows, and a peer that moved
 * and still gets through (docs/protocol.md, "Paths").
 */
import { replyCommitment } from "../crypto/commitment.ts";
import type { ShareKeys } from "../crypto/share_keys.ts";
import { formatSocketAddress } from "../nat/address.ts";
import type { MappingClass } from "../nat/mapping_class.ts";
import type { Connection } from "../protocol/connection.ts";
import { after } from "../time.ts";
import type { NetworkWatch } from "./network_watch.ts";
import { Punching } from "./punching.ts";
import { createProbeCodec, type SearchTools } from "./search_tools.ts";

/** How long a session looks for a path by itself, and a STUN server has to answer, ms. */
const REPAIR_AFTER_MS = 300;

/** What a repair needs. */
export interface PathRepairOptions extends SearchTools {
  /** Watches this side's sockets. */
  readonly watch: NetworkWatch;
  readonly connection: Connection;
  /** The share's commitment. */
  readonly t: Uint8Array;
  /** The share's; they are wiped after this was closed. */
  readonly keys: ShareKeys;
  /** The client's public key; with `t` it gives both sides the key of their probes. */
  readonly clientKey: Uint8Array;
}

/** Stands by for one session. */
export class PathRepair {
  readonly #options: PathRepairOptions;
  readonly #hardness: MappingClass;
  /** Undefined while it was not asked for: then nothing is known to have changed. */
  #addressBefore: string | undefined;
  #cancel: () => void = () => {};
  /** The newest is last; of those before, the one whose extra socket the session uses is left. */
  #punchings: Punching[] = [];

  /** Remembers how this side is seen while all is well. */
  constructor(options: PathRepairOptions) {
    this.#options = options;
    this.#addressBefore = this.#address;
    this.#hardness = options.watch.mapping;
  }

  /** The path is dead. */
  handleLost(): void {
    const { clock, watch } = this.#options;
    watch.refresh();
    this.#cancel();
    this.#cancel = clock.setTimer(after(clock.now(), REPAIR_AFTER_MS), () => this.#begin());
  }

  /** A path was found. */
  handleFound(): void {
    this.#stop(this.#options.connection.path.socket);
    this.#addressBefore = this.#address;
  }

  /** The session is over; a socket through which last words are to leave may be kept. */
  close(keptSocket?: number): void {
    this.#stop(keptSocket);
  }

  /** The IPv4 address at which the session's socket is seen. */
  get #address(): string | undefined {
    const seen = this.#options.watch.known.reflexive.find(({ family }) => family === 4);
    return seen && formatSocketAddress(seen);
  }

  #stop(keptSocket?: number): void {
    this.#cancel();
    for (const punching of this.#punchings) punching.stop(keptSocket);
    this.#punchings = this.#punchings.filter(({ hasSockets }) => hasSockets);
  }

  #begin(): void {
    const { live, clock, random, provider, extras, budgets, connection, t, keys, clientKey } =
      this.#options;
    const { socket, remote } = connection.path;
    if (connection.closed || remote.family !== 4) return;
    const before = this.#addressBefore;
    const hasMoved = before !== undefined && this.#address !== before;
    // Who was not moved takes the other for moved: one of the two has lost its place.
    const mappings: readonly [MappingClass, MappingClass] = hasMoved
      ? ["port_dependent_random", "endpoint_independent"]
      : [this.#hardness, "port_dependent_random"];
    // A path that is dead for now may be the one that comes back.
    this.#stop(socket);
    const punching = new Punching({
      live,
      clock,
      extras,
      machine: {
        role: "sharer",
        codec: createProbeCodec(this.#options, {
          t,
          keys,
          r: replyCommitment(provider, t, clientKey),
        }),
        random,
        // The only one whose place the other side knew.
        sockets: [{ index: socket, family: remote.family }],
        local: { mapping: mappings[0] },
        remote: { mapping: mappings[1], candidates: [{ kind: "reflexive", address: remote }] },
        budgetFor: budgets.of,
      },
      onHeard: (path) => {
        connection.probePath(clock.now(), path);
        live.wake();
      },
    });
    this.#punchings.push(punching);
  }
}
