/**
 * What the cryptography of one datagram costs: `deno bench bench/micro/crypto_bench.ts`. Packets of
 * 1400 bytes, as a path with an MTU of 1452 or more carries them. Baseline is the portable provider.
 */
import { chacha20Block, loadChaCha20Key } from "../../lib/crypto/chacha20_block.ts";
import { writeHeaderMask } from "../../lib/crypto/key_schedule.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { PacketOpener } from "../../lib/crypto/packet_opener.ts";
import { PACKET_HEADER_BYTES } from "../../lib/crypto/packet_layout.ts";
import { PacketSealer } from "../../lib/crypto/packet_sealer.ts";
import { portableProvider } from "../../lib/crypto/portable_provider.ts";
import { type CryptoProvider, TAG_BYTES } from "../../lib/crypto/provider.ts";
import { ReplayWindow } from "../../lib/crypto/replay_window.ts";
import { selfTest } from "../../lib/crypto/self_test.ts";

const PACKET_BYTES = 1400;
const PAYLOAD_END = PACKET_BYTES - TAG_BYTES;
/** How many packets the opener's bench has at hand, so that none is a duplicate within a window. */
const PACKET_COUNT = 4096;

const key = new Uint8Array(32).fill(7);
const nonce = new Uint8Array(12);
const header = new Uint8Array(PACKET_HEADER_BYTES);

function benchProvider(provider: CryptoProvider): void {
  const baseline = provider === portableProvider;
  const buffer = new Uint8Array(2048);

  const aead = provider.createAead(key);
  Deno.bench(
    `Aead.seal, ${provider.name}`,
    { group: "seal 1400 bytes, AEAD alone", baseline },
    () => {
      aead.seal(nonce, header, buffer, PACKET_HEADER_BYTES, PAYLOAD_END);
    },
  );

  const sealer = new PacketSealer(provider, key);
  let packetNumber = 0;
  Deno.bench(`PacketSealer.seal, ${provider.name}`, { group: "seal a packet", baseline }, () => {
    sealer.seal(buffer, 0, PAYLOAD_END, packetNumber++);
  });

  const openSealer = new PacketSealer(provider, key);
  const packets = new Uint8Array(PACKET_COUNT * PACKET_BYTES);
  for (let index = 0; index < PACKET_COUNT; index++) {
    const start = index * PACKET_BYTES;
    openSealer.seal(packets, start, start + PAYLOAD_END, index);
  }
  let opener = new PacketOpener(provider, key);
  let next = 0;
  Deno.bench(`PacketOpener.open, ${provider.name}`, { group: "open a packet", baseline }, () => {
    if (next === PACKET_COUNT) {
      next = 0;
      opener = new PacketOpener(provider, key);
    }
    const start = next++ * PACKET_BYTES;
    // Opening is in place, so a copy is opened; the copy is 0.05 µs of the result.
    buffer.set(packets.subarray(start, start + PACKET_BYTES));
    if (opener.open(buffer, 0, PACKET_BYTES) < 0) throw new Error("a packet did not open");
  });

  const forgedOpener = new PacketOpener(provider, key);
  Deno.bench(`wrong tag, ${provider.name}`, { group: "refuse a packet", baseline }, () => {
    buffer.set(packets.subarray(0, PACKET_BYTES));
    buffer[PACKET_BYTES - 1]! ^= 1;
    forgedOpener.open(buffer, 0, PACKET_BYTES);
  });

  const chunk = new Uint8Array(65_536);
  Deno.bench(`sha256, ${provider.name}`, { group: "hash 64 KiB", baseline }, () => {
    provider.sha256(chunk);
  });

  const publicKey = provider.publicKeyOf(key);
  Deno.bench(`sharedSecret, ${provider.name}`, { group: "X25519", baseline }, () => {
    provider.sharedSecret(key, publicKey);
  });

  Deno.bench(`selfTest, ${provider.name}`, { group: "self-test at start", baseline }, () => {
    selfTest(provider);
  });
}

benchProvider(portableProvider);
benchProvider(nodeProvider);

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
