/**
 * What the cryptography of one datagram costs. Packets have 1472 bytes, as on a path with Ethernet's
 * MTU. Baseline is the portable provider.
 *
 * ```sh
 * deno bench --allow-ffi bench/micro/crypto_bench.ts
 * ```
 * Without `--allow-ffi`, and without OpenSSL 3, the figures of libcrypto are missing.
 */
import { chacha20Block, loadChaCha20Key } from "../../lib/crypto/chacha20_block.ts";
import { AES_256_GCM, CHACHA20_POLY1305, type CipherSuite } from "../../lib/crypto/cipher_suite.ts";
import { writeHeaderMask } from "../../lib/crypto/key_schedule.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PACKET_HEADER_BYTES } from "../../lib/crypto/packet_layout.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import { portableProvider } from "../../lib/crypto/portable_provider.ts";
import { type CryptoProvider, TAG_BYTES } from "../../lib/crypto/provider.ts";
import { ReplayWindow } from "../../lib/crypto/replay_window.ts";
import { selfTest } from "../../lib/crypto/self_test.ts";
import { libcryptoProvider } from "../../lib/transport/libcrypto_provider.ts";

const PACKET_BYTES = 1472;
/** Packets of a train: what fits into 64 KiB. */
const TRAIN_PACKETS = 44;
const PAYLOAD_END = PACKET_BYTES - TAG_BYTES;
/** How many packets the opener's bench has at hand, so that none is a duplicate within a window. */
const PACKET_COUNT = 4096;

const key = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(12);
const header = new Uint8Array(PACKET_HEADER_BYTES);

function benchPackets(provider: CryptoProvider, suite: CipherSuite): void {
  const baseline = provider === portableProvider;
  const name = `${suite.name}, ${provider.name}`;
  const buffer = new Uint8Array(2048);

  const aead = suite.createAead(provider, key);
  Deno.bench(`Aead.seal, ${name}`, { group: "seal a packet, AEAD alone", baseline }, () => {
    aead.seal(nonce, header, buffer, PACKET_HEADER_BYTES, PAYLOAD_END);
  });

  const sealer = new PacketSealer(provider, key, suite);
  let packetNumber = 0;
  Deno.bench(`PacketSealer.seal, ${name}`, { group: "seal a packet", baseline }, () => {
    sealer.seal(buffer, 0, PAYLOAD_END, packetNumber++);
  });

  const train = new Uint8Array(TRAIN_PACKETS * PACKET_BYTES);
  const trainSealer = new PacketSealer(provider, key, suite);
  let trainNumber = 0;
  Deno.bench(
    `PacketSealer.seal, ${name}`,
    { group: `seal a train of ${TRAIN_PACKETS}`, baseline },
    () => {
      for (let start = 0; start < train.length; start += PACKET_BYTES) {
        trainSealer.seal(train, start, start + PAYLOAD_END, trainNumber++);
      }
    },
  );

  const openSealer = new PacketSealer(provider, key, suite);
  const packets = new Uint8Array(PACKET_COUNT * PACKET_BYTES);
  for (let index = 0; index < PACKET_COUNT; index++) {
    const start = index * PACKET_BYTES;
    openSealer.seal(packets, start, start + PAYLOAD_END, index);
  }
  let opener = new PacketOpener(provider, key, suite);
  let next = 0;
  Deno.bench(`PacketOpener.open, ${name}`, { group: "open a packet", baseline }, () => {
    if (next === PACKET_COUNT) {
      next = 0;
      opener = new PacketOpener(provider, key, suite);
    }
    const start = next++ * PACKET_BYTES;
    // Opening is in place, so a copy is opened; the copy is 0.05 µs of the result.
    buffer.set(packets.subarray(start, start + PACKET_BYTES));
    if (opener.open(buffer, 0, PACKET_BYTES) < 0) throw new Error("a packet did not open");
  });

  const forgedOpener = new PacketOpener(provider, key, suite);
  Deno.bench(`wrong tag, ${name}`, { group: "refuse a packet", baseline }, () => {
    buffer.set(packets.subarray(0, PACKET_BYTES));
    buffer[PACKET_BYTES - 1]! ^= 1;
    forgedOpener.open(buffer, 0, PACKET_BYTES);
  });
}

function benchRest(provider: CryptoProvider): void {
  const baseline = provider === portableProvider;
  const prefix = new Uint8Array(1);
  for (const length of [64, 4096, 65_536]) {
    const chunk = new Uint8Array(length);
    Deno.bench(
      `sha256, ${provider.name}`,
      { group: `hash ${length} bytes behind a prefix`, baseline },
      () => {
        provider.sha256(prefix, chunk);
      },
    );
  }

  const publicKey = provider.publicKeyOf(key);
  Deno.bench(`sharedSecret, ${provider.name}`, { group: "X25519", baseline }, () => {
    provider.sharedSecret(key, publicKey);
  });

  Deno.bench(`selfTest, ${provider.name}`, { group: "self-test at start", baseline }, () => {
    selfTest(provider);
  });
}

const fast = libcryptoProvider(nodeProvider);
for (const provider of [portableProvider, nodeProvider, ...(fast ? [fast] : [])]) {
  benchPackets(provider, CHACHA20_POLY1305);
  if (provider.createAesGcm) benchPackets(provider, AES_256_GCM);
  benchRest(provider);
}

const words = loadChaCha20Key(key);
const sample = new Uint8Array(16).fill(3);
const mask = new Uint8Array(8);
const block = new Uint8Array(64);
Deno.bench("writeHeaderMask", { group: "ChaCha20 block" }, () => {
  writeHeaderMask(words, sample, 0, mask);
});
Deno.bench("chacha20Block, whole", { group: "ChaCha20 block" }, () => {
  chacha20Block(words, 0, nonce, 0, block);
});

const stranger = new PacketOpener(nodeProvider, new Uint8Array(32).fill(8));
const noise = new Uint8Array(PACKET_BYTES).fill(5);
Deno.bench("a stranger's datagram", { group: "filters" }, () => {
  stranger.open(noise, 0, PACKET_BYTES);
});

const replayWindow = new ReplayWindow();
let number = 0;
Deno.bench("ReplayWindow check and mark", { group: "filters" }, () => {
  if (replayWindow.check(number)) replayWindow.mark(number);
  number++;
});
