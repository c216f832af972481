/**
 * A whole transfer from disk to disk within one process, over a link in memory. The receiver's door to
 * the disk can be watched: a hook is called before each call that goes through it, which is where
 * another program could act.
 */
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { TransferError } from "../../lib/errors.ts";
import type { OfferDecision } from "../../lib/options.ts";
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import type { Manifest } from "../../lib/transfer/offer/manifest.ts";
import { ClientExchange } from "../../lib/transfer/client_exchange.ts";
import { SharerExchange } from "../../lib/transfer/sharer_exchange.ts";
import type { Storage } from "../../lib/storage/storage.ts";
import { MemoryLink } from "./memory_channel.ts";
import { clientHello, reportEnd } from "./transfer_pair.ts";

/** How a transfer ended for the receiver. */
export interface DiskOutcome {
  /** `code path` of each warning. */
  readonly warnings: readonly string[];
  /** The exit of a transfer that ended, or the code of its error. */
  readonly exit: number | string;
}

/** What a {@linkcode transferOnDisk} is given. */
export interface DiskTransferOptions {
  readonly manifest: Manifest;
  /** The folder to receive into. */
  readonly directory: string;
  readonly decision?: OfferDecision;
  /** The receiver's storage. */
  readonly storage?: Storage;
}

/** Runs a transfer; both sides have come to an end afterwards. */
export async function transferOnDisk(options: DiskTransferOptions): Promise<DiskOutcome> {
  const warnings: string[] = [];
  const link = new MemoryLink(1, { reorderWindow: 8, pieceBytes: 30_000 });
  const sender = new SharerExchange({
    channel: link.left,
    storage: new DenoStorage(),
    crypto: nodeProvider,
    manifest: options.manifest,
    clientHello: clientHello(),
    onEvent: () => {},
  });
  const receiver = new ClientExchange({
    channel: link.right,
    storage: options.storage ?? new DenoStorage(),
    crypto: nodeProvider,
    directory: options.directory,
    decide: () => Promise.resolve(options.decision ?? { accept: true }),
    onEvent: (notice) => {
      if (notice.event === "warning") warnings.push(`${notice.code} ${notice.path}`);
    },
  });
  link.left.handler = sender;
  link.right.handler = receiver;
  reportEnd(link.left, sender);
  reportEnd(link.right, receiver);
  receiver.start();
  sender.start();
  let isDone = false;
  const both = Promise.allSettled([receiver.forth.half.finished, sender.forth.half.finished]);
  both.then(() => isDone = true);
  while (!isDone) {
    for (let turn = 0; turn < 50; turn++) {
      link.left.deliver();
      link.right.deliver();
      await null;
    }
    // The disk answers through the event loop.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const [received] = await both;
  if (received.status === "fulfilled") return { warnings, exit: received.value.exit };
  const { reason } = received;
  if (!(reason instanceof TransferError) || reason.code === "internal") throw reason;
  return { warnings, exit: reason.code };
}

/** Calls that make, move or remove names: while one is under way what it looked at may be swapped. */
const NAMING = /^(?:createPart|resumePart|make|write|place|discard|replace|remove|set)/;

/** Who is told of calls, and what is under way. */
interface Watch {
  readonly before: (call: string, isNaming: boolean) => void;
  /** Calls of {@linkcode NAMING} that have not come back. */
  naming: number;
}

/**
 * Tells `before` ahead of every call of a storage's methods, and of those of the part files it opens,
 * whether a call that makes names is under way at that moment.
 */
export function watched<T extends object>(
  target: T,
  before: (call: string, isNaming: boolean) => void,
): T {
  return wrap(target, { before, naming: 0 });
}

function wrap<T extends object>(target: T, watch: Watch): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        watch.before(String(name), watch.naming > 0);
        const result = value.apply(target, args);
        if (!(result instanceof Promise)) return result;
        if (NAMING.test(String(name))) watch.naming++;
        return result.then(
          (one) => isPart(one) ? wrap(one, watch) : one,
        ).finally(() => {
          if (NAMING.test(String(name))) watch.naming--;
        });
      };
    },
  });
}

function isPart(value: unknown): value is object {
  return typeof value === "object" && value !== null && "place" in value &&
    typeof value.place === "function";
}
