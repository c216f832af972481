// Goal: each side learns in the handshake what the other's sockets hold.
import assert from "node:assert/strict";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import { HandshakeClient } from "../../../lib/protocol/handshake_client.ts";
import { HandshakeSharer } from "../../../lib/protocol/handshake_sharer.ts";
import { HANDSHAKE_DATAGRAM_BYTES } from "../../../lib/protocol/params.ts";
import { instant } from "../../../lib/time.ts";
import { newShare } from "../../support/code_holder.ts";
import { address } from "../../support/hand_network.ts";
import { Prng } from "../../support/prng.ts";

const NOW = instant(0);
const PATH = { socket: 0, remote: address(1) };

/** What the client and the sharer learn of each other. */
function exchange(ofClient: number | undefined, ofSharer: number | undefined): [number, number] {
  const random = new Prng(1);
  const share = newShare(random);
  const told = (bytes: number | undefined) =>
    bytes === undefined ? {} : { receiveBufferBytes: bytes };
  const common = { provider: nodeProvider, random };
  const sharer = new HandshakeSharer({ ...common, ...share, ...told(ofSharer) });
  const client = new HandshakeClient(NOW, {
    ...common,
    ...told(ofClient),
    t: share.t,
    staticKeys: nodeProvider.generateKeyPair(random),
    paths: [PATH],
    request: new Uint8Array(0),
  });
  const out = new Uint8Array(HANDSHAKE_DATAGRAM_BYTES);
  client.pollTransmit(NOW, out);
  sharer.handleDatagram(NOW, out, PATH, 0);
  sharer.pollTransmit(NOW, out);
  const connected = client.handleDatagram(NOW, out, PATH);
  assert.ok(typeof connected === "object");
  connected.start.writeConfirmation!(out);
  const accepted = sharer.handleDatagram(NOW, out, PATH, 0);
  assert.ok(accepted && accepted !== "handled");
  return [connected.start.remote.receiveBufferBytes, accepted.start.remote.receiveBufferBytes];
}

Deno.test("[CC-2] both sides of a handshake say what their sockets hold, if they know", () => {
  assert.deepEqual(exchange(79_872, 3_145_728), [3_145_728, 79_872]);
  assert.deepEqual(exchange(undefined, 1000), [1000, 0]);
  assert.deepEqual(exchange(undefined, undefined), [0, 0]);
});
