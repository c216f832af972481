/**
 * What was chosen, beside what was not: the figures behind "Decisions" in ARCHITECTURE.md.
 *
 * ```sh
 * deno bench --allow-net=127.0.0.1 --allow-ffi bench/micro/choices_bench.ts
 * ```
 * Ciphers seal one datagram of 1400 bytes, hashes take 1 MiB, the timer is asked for 1 ms. The UDP
 * benches send a burst of {@linkcode BURST} datagrams of 1400 bytes over loopback and wait until they
 * are there, so an iteration is that many datagrams sent and received.
 */
import { createCipheriv } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { chacha20, chacha20poly1305 } from "npm:@noble/ciphers@2.4.0/chacha.js";
import { blake3 } from "npm:@noble/hashes@2.4.0/blake3.js";
import { chacha20Block, loadChaCha20Key } from "../../lib/crypto/chacha20_block.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { libcryptoProvider } from "../../lib/transport/libcrypto_provider.ts";
import { openSocket } from "../../lib/transport/open_socket.ts";

const DATAGRAM_BYTES = 1400;
/** Well below what a socket's buffer holds by default, so that nothing is lost. */
const BURST = 32;

const key = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(12);
const header = new Uint8Array(13);
const datagram = new Uint8Array(DATAGRAM_BYTES);

// ---- ciphers ----

const ciphers = { group: "seal 1400 bytes" };

function sealWithNode(cipherName: "chacha20-poly1305" | "aes-256-gcm"): void {
  const cipher = createCipheriv(cipherName as "chacha20-poly1305", key, nonce, {
    authTagLength: 16,
  });
  cipher.setAAD(header, { plaintextLength: DATAGRAM_BYTES });
  cipher.update(datagram);
  cipher.final();
  cipher.getAuthTag();
}

Deno.bench("ChaCha20-Poly1305, node:crypto", { ...ciphers, baseline: true }, () => {
  sealWithNode("chacha20-poly1305");
});
Deno.bench("AES-256-GCM, node:crypto", ciphers, () => {
  sealWithNode("aes-256-gcm");
});
const libcrypto = libcryptoProvider(nodeProvider);
const room = new Uint8Array(DATAGRAM_BYTES + 16);
const chacha = libcrypto?.createAead(key);
Deno.bench("ChaCha20-Poly1305, libcrypto", { ...ciphers, ignore: chacha === undefined }, () => {
  chacha!.seal(nonce, header, room, 0, DATAGRAM_BYTES);
});
const aes = libcrypto?.createAesGcm?.(key);
Deno.bench("AES-256-GCM, libcrypto", { ...ciphers, ignore: aes === undefined }, () => {
  aes!.seal(nonce, header, room, 0, DATAGRAM_BYTES);
});
const webKey = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
Deno.bench("AES-256-GCM, WebCrypto", ciphers, async () => {
  await crypto.subtle.encrypt(
    { name: "AES-GCM", iv: nonce, additionalData: header },
    webKey,
    datagram,
  );
});
Deno.bench("ChaCha20-Poly1305, noble", ciphers, () => {
  chacha20poly1305(key, nonce, header).encrypt(datagram);
});

// ---- header masks ----

const words = loadChaCha20Key(key);
const mask = new Uint8Array(8);
Deno.bench("chacha20Block", { group: "mask of 8 bytes", baseline: true }, () => {
  chacha20Block(words, 0, nonce, 0, mask);
});
Deno.bench("ChaCha20, noble", { group: "mask of 8 bytes" }, () => {
  chacha20(key, nonce, mask);
});

// ---- hashes ----

const group = new Uint8Array(1024 * 1024).fill(7);
Deno.bench("SHA-256, node:crypto", { group: "hash 1 MiB", baseline: true }, () => {
  nodeProvider.sha256(group);
});
Deno.bench("SHA-256, libcrypto", { group: "hash 1 MiB", ignore: libcrypto === undefined }, () => {
  libcrypto!.sha256(group);
});
Deno.bench("BLAKE3, noble", { group: "hash 1 MiB" }, () => {
  blake3(group);
});

// ---- timers ----

Deno.bench("setTimeout of 1 ms", { group: "timer" }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 1));
});

// ---- UDP ----

const LOOPBACK = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
const sockets = { group: `${BURST} datagrams over loopback` };
const sender = Deno.listenDatagram(LOOPBACK);

/** Sends a burst with the sender that all of these share. */
async function burstTo(to: Deno.Addr): Promise<void> {
  for (let index = 0; index < BURST; index++) await sender.send(datagram, to);
}

const intoBuffer = Deno.listenDatagram(LOOPBACK);
const buffer = new Uint8Array(65_536);
Deno.bench("received into one buffer", { ...sockets, baseline: true }, async () => {
  await burstTo(intoBuffer.addr);
  for (let index = 0; index < BURST; index++) await intoBuffer.receive(buffer);
});

const iterated = Deno.listenDatagram(LOOPBACK);
const iterator = iterated[Symbol.asyncIterator]();
Deno.bench("received by the iterator", sockets, async () => {
  await burstTo(iterated.addr);
  for (let index = 0; index < BURST; index++) await iterator.next();
});

const nodeReceiver = await bound();
let arrived = 0;
let onAll = (): void => {};
nodeReceiver.on("message", () => {
  if (++arrived === BURST) onAll();
});
const nodePort = nodeReceiver.address().port;
Deno.bench("received by node:dgram", sockets, async () => {
  arrived = 0;
  const all = new Promise<void>((resolve) => onAll = resolve);
  await burstTo({ transport: "udp", hostname: "127.0.0.1", port: nodePort });
  await all;
});

const accelerated = { family: 4, host: "127.0.0.1", port: 0, accelerate: true } as const;
const trainSender = await openSocket(accelerated);
const trainReceiver = await openSocket(accelerated);
const train = new Uint8Array(BURST * DATAGRAM_BYTES);
let trainBytes = 0;
void trainReceiver.receive((piece) => {
  trainBytes += piece.length;
  if (trainBytes === train.length) onAll();
});
Deno.bench("sent and received as a train", {
  ...sockets,
  ignore: trainSender.sendTrain === undefined,
}, async () => {
  trainBytes = 0;
  const all = new Promise<void>((resolve) => onAll = resolve);
  await trainSender.sendTrain!(train, train.length, DATAGRAM_BYTES, trainReceiver.localAddress);
  await all;
});

/** A socket of `node:dgram` on loopback. */
function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  return new Promise((resolve) => socket.bind(0, "127.0.0.1", () => resolve(socket)));
}
