// Goal: both sides seal packets with the same cipher, the faster one where both have it, and nobody
// else can choose for them; keys of AES are replaced early enough.
// Method: real endpoints with and without AES-256-GCM, and somebody in between who holds the code.
import assert from "node:assert/strict";
import { AES_256_GCM, CHACHA20_POLY1305 } from "../../../lib/crypto/cipher_suite.ts";
import {
  HandshakeCodec,
  type HandshakeMessage1,
  MESSAGE_1_PAYLOAD_BYTES,
} from "../../../lib/crypto/handshake_datagram.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import { PacketSealer } from "../../../lib/crypto/packet_sealer.ts";
import { deriveShareKeys } from "../../../lib/crypto/share_keys.ts";
import {
  HALF_OPEN_MS,
  HANDSHAKE_PATTERN,
  HANDSHAKE_PROLOGUE,
  LAST_PACKETS,
} from "../../../lib/protocol/params.ts";
import {
  decodeParameters,
  encodeParameters,
  FEATURE_AES_256_GCM,
} from "../../../lib/protocol/transport_parameters.ts";
import { aesProvider } from "../../support/aes_provider.ts";
import { newShare, type Share } from "../../support/code_holder.ts";
import { address, type HandHost, HandNetwork } from "../../support/hand_network.ts";
import { HandPeer } from "../../support/hand_peer.ts";

const SHARER = address(1);
const CLIENT = address(2);

function network(
  sharerProvider = aesProvider,
  clientProvider = aesProvider,
): { net: HandNetwork; share: Share; sharer: HandHost; client: HandHost } {
  const net = new HandNetwork();
  const share = newShare(net.random);
  const sharer = net.host(SHARER, sharerProvider);
  const client = net.host(CLIENT, clientProvider);
  sharer.endpoint.listen(share);
  net.connect(client, share, [SHARER]);
  return { net, share, sharer, client };
}

for (const sharerHas of [true, false]) {
  for (const clientHas of [true, false]) {
    const [a, b] = [sharerHas, clientHas].map((has) => has ? "with" : "without");
    Deno.test(`[TP-3] a sharer ${a} and a client ${b} AES-256-GCM choose alike and talk`, () => {
      const providerOf = (has: boolean) => has ? aesProvider : nodeProvider;
      const { net, sharer, client } = network(providerOf(sharerHas), providerOf(clientHas));
      net.run(0);
      const wanted = sharerHas && clientHas ? "AES-256-GCM" : "ChaCha20-Poly1305";
      assert.equal(sharer.connection?.cipher, wanted);
      assert.equal(client.connection?.cipher, wanted);
      sharer.connection.sendControl(new Uint8Array(5000));
      client.connection.sendControl(new Uint8Array(5000));
      net.run(1000);
      assert.equal(sharer.connection.controlQueuedBytes, 0);
      assert.equal(client.connection.controlQueuedBytes, 0);
    });
  }
}

Deno.test("[TP-3] who holds the code and takes AES out of message 1 ends up with nothing", () => {
  const { net, share, sharer, client } = network();
  const [hello] = client.poll();
  const weaker = withoutAes(net, share, hello!.bytes);
  const [answer] = sharer.take(weaker, CLIENT);
  assert.equal(answer?.bytes.length, 1200, "the sharer sees nothing wrong yet");
  assert.deepEqual(client.take(answer.bytes, SHARER), []);
  assert.deepEqual(client.events, []);
  // Once that is forgotten the real one comes through, as it was meant.
  net.run(HALF_OPEN_MS + 1000);
  assert.equal(client.connection?.cipher, "AES-256-GCM");
});

/** Message 1 of the same ephemeral key, as everybody who holds the code can write it anew. */
function withoutAes(net: HandNetwork, share: Share, datagram: Uint8Array): Uint8Array {
  const keys = deriveShareKeys(nodeProvider, share.t);
  const codec = new HandshakeCodec(nodeProvider, keys, net.random);
  const { message } = codec.decodeMessage1(datagram) as HandshakeMessage1;
  const common = {
    pattern: HANDSHAKE_PATTERN,
    prologue: HANDSHAKE_PROLOGUE,
    staticKeys: share.staticKeys,
    psks: [keys.psk],
  };
  const reader = NoiseHandshake.start(nodeProvider, { ...common, role: "responder" });
  const parameters = decodeParameters(reader.readMessage(message)!)!;
  assert.equal(parameters.features & FEATURE_AES_256_GCM, FEATURE_AES_256_GCM);
  const payload = new Uint8Array(MESSAGE_1_PAYLOAD_BYTES);
  encodeParameters({ ...parameters, features: 0 }, payload, 0);
  const publicKey = message.slice(0, 32);
  const writer = NoiseHandshake.start(
    { ...nodeProvider, generateKeyPair: () => ({ secretKey: new Uint8Array(32), publicKey }) },
    { ...common, role: "initiator" },
  );
  return codec.encodeMessage1(writer.writeMessage(payload, net.random)!);
}

Deno.test("AES_256_GCM derives keys of its own and is refused by a provider without it", () => {
  const secret = new Uint8Array(32).fill(1);
  const seal = (suite: typeof AES_256_GCM) => {
    const packet = new Uint8Array(60);
    new PacketSealer(aesProvider, secret, suite).seal(packet, 0, 44, 0);
    return packet;
  };
  assert.notDeepEqual(
    seal(AES_256_GCM),
    seal({ ...AES_256_GCM, labels: CHACHA20_POLY1305.labels }),
  );
  assert.throws(() => new PacketSealer(nodeProvider, secret, AES_256_GCM), RangeError);
});

Deno.test("[KEY-4] Connection ends, and says so, before its key has sealed too much", () => {
  const suite = { ...CHACHA20_POLY1305, maxSealedPackets: LAST_PACKETS + 50 };
  const sealer = new PacketSealer(nodeProvider, new Uint8Array(32).fill(1), suite);
  const peer = new HandPeer({ connection: { sealer } });
  // Nothing is ever acknowledged, so no update may begin.
  for (let step = 0; step < 3000 && !peer.end(); step++) {
    peer.connection.sendControl(new Uint8Array(1));
    peer.advance(20);
  }
  assert.equal(peer.end()?.code, "limit_exceeded");
  assert.equal(sealer.packetsSealed, 50 + peer.sentOf("CLOSE").length);
  assert.ok(peer.sentOf("CLOSE").length > 0);
});
