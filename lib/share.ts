/** Sharing files: the code, the clients, and the end. Where the layers meet on the sender's side. */
import { shareCommitment } from "./crypto/commitment.ts";
import type { CryptoProvider, KeyPair } from "./crypto/provider.ts";
import { selectProvider } from "./crypto/select_provider.ts";
import { wipe } from "./crypto/wipe.ts";
import { TransferError, wireOfErrorCode } from "./errors.ts";
import type { TransferEvent } from "./events.ts";
import { formatSocketAddress, type SocketAddress } from "./nat/address.ts";
import type { Candidate } from "./nat/candidate.ts";
import { DEFAULT_TIMEOUT_MS, errorEvent, Operation, socketsFor } from "./operation.ts";
import type { ShareOptions } from "./options.ts";
import type { EndpointEvent } from "./protocol/endpoint.ts";
import { after } from "./time.ts";
import { chooseLocalCandidates, type LocalInterface } from "./rendezvous/local_candidates.ts";
import { readManualCandidates } from "./rendezvous/manual_candidates.ts";
import { encodeShareCode } from "./rendezvous/share_code.ts";
import { Places } from "./places.ts";
import { ShareSession } from "./share_session.ts";
import { DenoStorage } from "./transfer/deno_storage.ts";
import { buildManifest, type Manifest } from "./transfer/manifest.ts";
import type { Storage } from "./transfer/storage.ts";
import { type Clock, systemClock } from "./transport/clock.ts";
import { LiveEndpoint } from "./transport/live_endpoint.ts";
import { systemRandom } from "./transport/random.ts";

/** A share under way: an iteration of its events, once. */
export interface Share extends AsyncIterable<TransferEvent>, AsyncDisposable {
  /** What the other side needs: `p2p1…`. */
  readonly code: string;
  /** Ends it for everyone. */
  close(): Promise<void>;
}

/**
 * Shares files and folders. The share is ready when this resolves; it works on its own, and its
 * events tell how.
 *
 * @param paths Files and folders; a folder is offered under its own name.
 * @param options Nothing is required.
 * @throws {TypeError} If `paths` is empty or an option makes no sense.
 * @throws {TransferError} `read_failed` for a path that is not there or cannot be read, `usage` for
 *   an address that cannot be used, `no_network`, `socket_unavailable`, `permission_missing`.
 */
export async function share(paths: readonly string[], options: ShareOptions = {}): Promise<Share> {
  if (paths.length === 0) throw new TypeError("Cannot share nothing: paths is empty");
  const maxClients = options.maxClients ?? 1;
  if (!(maxClients >= 1 && (Number.isInteger(maxClients) || maxClients === Infinity))) {
    throw new TypeError(`Cannot share with ${maxClients} clients: a whole number, at least 1`);
  }
  const warnings: TransferEvent[] = [];
  const storage = options.storage ?? new DenoStorage();
  const manifest = await buildManifest(storage, paths, {
    onWarning: (warning) => warnings.push(warning),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const provider = selectProvider();
  const random = options.random ?? systemRandom;
  const sockets = await socketsFor(options);
  try {
    const candidates = await findCandidates(options, sockets.map((socket) => socket.localAddress));
    const staticKeys = provider.generateKeyPair(random);
    const t = shareCommitment(provider, staticKeys.publicKey);
    const code = encodeShareCode({ t, mappingClass: "unknown", candidates });
    return new RunningShare({
      options: { ...options, maxClients },
      manifest,
      storage,
      provider,
      staticKeys,
      t,
      code,
      addresses: candidates.map(({ address }) => formatSocketAddress(address)),
      warnings,
      makeEndpoint: (onEvent) =>
        new LiveEndpoint(
          { sockets, provider, random, clock: options.clock ?? systemClock },
          onEvent,
        ),
    });
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
}

/** The addresses for the code: those asked for, and the machine's own. */
async function findCandidates(
  options: ShareOptions,
  bound: readonly SocketAddress[],
): Promise<Candidate[]> {
  const allowLoopback = options.allowLoopback ?? false;
  const texts = [...options.addresses ?? [], ...options.extraAddresses ?? []];
  const manual = await readManualCandidates(texts, { bound, allowLoopback, resolve: resolveName });
  const interfaces = options.addresses ? [] : listInterfaces();
  const candidates = options.addresses
    ? manual
    : chooseLocalCandidates(interfaces, { bound, allowLoopback, manual });
  if (candidates.length > 0) return candidates;
  throw new TransferError("no_network", "Cannot make a code: this machine has no address to give", {
    hint: "Connect it to a network, or give an address with --address",
  });
}

/** Asked for only where it is granted: a question in mid-command helps nobody. */
function listInterfaces(): LocalInterface[] {
  const permission = Deno.permissions.querySync({ name: "sys", kind: "networkInterfaces" });
  return permission.state === "granted" ? Deno.networkInterfaces() : [];
}

async function resolveName(name: string): Promise<string[]> {
  const lookups = await Promise.allSettled([
    Deno.resolveDns(name, "A"),
    Deno.resolveDns(name, "AAAA"),
  ]);
  return lookups.flatMap((lookup) => lookup.status === "fulfilled" ? lookup.value : []);
}

interface RunningShareParts {
  readonly options: ShareOptions & { readonly maxClients: number };
  readonly manifest: Manifest;
  readonly storage: Storage;
  readonly provider: CryptoProvider;
  readonly staticKeys: KeyPair;
  readonly t: Uint8Array;
  readonly code: string;
  readonly addresses: readonly string[];
  readonly warnings: readonly TransferEvent[];
  readonly makeEndpoint: (onEvent: (event: EndpointEvent) => void) => LiveEndpoint;
}

class RunningShare extends Operation implements Share {
  readonly code: string;
  protected readonly live: LiveEndpoint;
  readonly #parts: RunningShareParts;
  readonly #clock: Clock;
  readonly #sessions = new Map<unknown, ShareSession>();
  readonly #places: Places;
  #sessionCount = 0;
  #servedCount = 0;
  #cancelTimeout = (): void => {};

  constructor(parts: RunningShareParts) {
    super();
    const { options, code, addresses, staticKeys, t } = parts;
    this.#parts = parts;
    this.#places = new Places(options.maxClients);
    this.#clock = options.clock ?? systemClock;
    this.code = code;
    this.events.push({ event: "code", code, addresses });
    for (const warning of parts.warnings) this.events.push(warning);
    this.live = parts.makeEndpoint((event) => this.#handleEvent(event));
    this.live.endpoint.listen({ t, staticKeys });
    this.#armTimeout();
    this.watch(options.signal, () => this.#fail(new TransferError("interrupted", "Interrupted")));
  }

  protected async stop(): Promise<void> {
    this.#cancelTimeout();
    this.live.endpoint.stopListening();
    this.#places.close();
    wipe(this.#parts.staticKeys.secretKey);
    const sessions = [...this.#sessions.values()];
    await Promise.all(
      sessions.map((session) =>
        session.abort(
          new TransferError("share_closed", "The share was closed", {
            hint: "Start another share for this client",
          }),
        )
      ),
    );
  }

  #handleEvent(event: EndpointEvent): void {
    if (event.type === "closed") {
      this.#sessions.get(event.connection)?.handleClosed(event.end);
    } else if (event.type === "accepted") {
      this.#accept(event);
    }
  }

  #accept(event: EndpointEvent & { type: "accepted" }): void {
    const { connection } = event;
    if (this.isOver) {
      return connection.close(wireOfErrorCode("share_closed"), "the share was closed");
    }
    const { options, manifest, storage, provider } = this.#parts;
    this.#cancelTimeout();
    const session = new ShareSession({
      number: ++this.#sessionCount,
      accepted: event,
      options,
      clock: this.#clock,
      manifest,
      storage,
      provider,
      places: this.#places,
      emit: (told) => this.events.push(told),
      onEnd: (how, last) => this.#handleSessionEnd(connection, how, last),
    });
    this.#sessions.set(connection, session);
    session.start();
  }

  #handleSessionEnd(
    connection: unknown,
    how: "served" | "failed" | "interrupted",
    last: TransferEvent,
  ): void {
    const { maxClients } = this.#parts.options;
    this.#sessions.delete(connection);
    if (how === "served") this.#servedCount++;
    if (how === "served" && this.#servedCount >= maxClients && !this.isOver) {
      // Told after the end of whoever waited in vain: how the share ended is its last event.
      void this.finish(last);
      return;
    }
    // The one person this was for has said stop; a client that was lost or refused has not. If
    // somebody else is here already, it goes on for them.
    const isStopped = how === "interrupted" && maxClients === 1 && this.#sessions.size === 0;
    if (isStopped && !this.isOver) {
      const message = "The other side interrupted the transfer";
      return this.#fail(
        new TransferError("interrupted", message, { hint: "Share again when both are ready" }),
      );
    }
    this.events.push(last);
    if (this.#sessions.size === 0 && !this.isOver) this.#armTimeout();
  }

  #armTimeout(): void {
    const timeoutMs = this.#parts.options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#cancelTimeout = this.#clock.setTimer(after(this.#clock.now(), timeoutMs), () => {
      const seconds = Math.round(timeoutMs / 1000);
      this.#fail(new TransferError("timed_out", `Nobody came for ${seconds} s`));
    });
  }

  #fail(error: TransferError): void {
    for (const session of this.#sessions.values()) void session.abort(error);
    void this.finish(errorEvent(error, { fatal: true }));
  }
}
