/**
 * Whether trains of datagrams (`offload.ts`) arrive on this machine as they were sent. A kernel may
 * know the options and yet do something else with them (sandboxes, emulated kernels), so a train is
 * sent over loopback before the first real one. Any doubt means: one datagram, one call.
 */
import { DenoSocket } from "./deno_socket.ts";
import { MAX_TRAIN_BYTES } from "./socket.ts";

const SEGMENT_BYTES = 1200;
const SEGMENTS = 5;
const LAST_BYTES = 700;
const TRAIN_BYTES = SEGMENTS * SEGMENT_BYTES + LAST_BYTES;

/** A plain datagram longer than the train's: it must not be cut. */
const LONG_BYTES = 1472;

/** Loopback needs less than one; a machine that is so busy has nothing to gain. */
const PATIENCE_MS = 500;

const verdicts = new Map<4 | 6, Promise<boolean>>();

/** Tries it out, once in a process for each address family; never rejects and prompts nobody. */
export function isOffloadSound(family: 4 | 6): Promise<boolean> {
  let verdict = verdicts.get(family);
  if (verdict === undefined) verdicts.set(family, verdict = check(family));
  return verdict;
}

async function check(family: 4 | 6): Promise<boolean> {
  const host = family === 4 ? "127.0.0.1" : "::1";
  const shown = family === 4 ? `${host}:0` : `[${host}]:0`;
  if (Deno.permissions.querySync({ name: "net", host: shown }).state !== "granted") return false;
  const sockets: DenoSocket[] = [];
  try {
    for (let count = 0; count < 2; count++) {
      sockets.push(new DenoSocket({ family, host, port: 0 }));
    }
    const [sender, receiver] = sockets as [DenoSocket, DenoSocket];
    return sender.joinDatagrams() && await arrivesWhole(sender, receiver);
  } catch {
    return false; // no such network here
  } finally {
    for (const socket of sockets) socket.close();
  }
}

async function arrivesWhole(sender: DenoSocket, receiver: DenoSocket): Promise<boolean> {
  const train = Uint8Array.from({ length: TRAIN_BYTES }, (_, index) => index * 31 + (index >> 8));
  const arrivals = new Arrivals(receiver);
  const to = receiver.localAddress;
  const sendTrain = sender.sendTrain!;

  const isCut = await sendTrain(train, TRAIN_BYTES, SEGMENT_BYTES, to) &&
    await arrivals.equal(train) &&
    arrivals.lengths.length === SEGMENTS + 1 &&
    arrivals.lengths.every((length, index) =>
      length === (index < SEGMENTS ? SEGMENT_BYTES : LAST_BYTES)
    );
  if (!isCut || !receiver.joinDatagrams()) return false;

  arrivals.clear();
  const isJoined = await sendTrain(train, TRAIN_BYTES, SEGMENT_BYTES, to) &&
    await arrivals.equal(train);
  if (!isJoined) return false;

  arrivals.clear();
  const long = train.subarray(0, LONG_BYTES);
  return await sender.send(long, to) && await arrivals.equal(long) &&
    arrivals.lengths.length === 1 && sender.sendTrain !== undefined;
}

/** What a socket received: all bytes one behind the other, and the length of each piece. */
class Arrivals {
  lengths: number[] = [];
  readonly #bytes = new Uint8Array(2 * MAX_TRAIN_BYTES);
  #length = 0;
  #wake: (() => void) | undefined;

  constructor(socket: DenoSocket) {
    // It ends when the socket is closed; one that breaks lets nothing arrive, which is told below.
    socket.receive((piece) => {
      if (this.#length + piece.length > this.#bytes.length) return;
      this.#bytes.set(piece, this.#length);
      this.#length += piece.length;
      this.lengths.push(piece.length);
      this.#wake?.();
    }).catch(() => {});
  }

  clear(): void {
    this.lengths = [];
    this.#length = 0;
  }

  /** Waits for as many bytes as `wanted` has; whether they are the same. */
  async equal(wanted: Uint8Array): Promise<boolean> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#wake?.();
    }, PATIENCE_MS);
    while (this.#length < wanted.length && !isLate) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    clearTimeout(timer);
    return this.#length === wanted.length &&
      wanted.every((byte, index) => byte === this.#bytes[index]);
  }
}
