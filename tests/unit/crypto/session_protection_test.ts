import assert from "node:assert/strict";
import { CHACHA20_POLY1305 } from "../../../lib/crypto/cipher_suite.ts";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
import { exporterSecret } from "../../../lib/crypto/pair_secret.ts";
import { protectSession } from "../../../lib/crypto/session_protection.ts";
import { countingRandom, PROVIDERS, text } from "./_support.ts";

Deno.test("protectSession joins each side's sealer to the other's opener, and never to its own", () => {
  for (const provider of PROVIDERS) {
    const client = NoiseHandshake.start(provider, { pattern: "NN", role: "initiator" });
    const sharer = NoiseHandshake.start(provider, { pattern: "NN", role: "responder" });
    assert.throws(() => protectSession(provider, client), RangeError);
    sharer.readMessage(client.writeMessage(text(""), countingRandom(1))!);
    client.readMessage(sharer.writeMessage(text(""), countingRandom(2))!);
    const ends = [protectSession(provider, client), protectSession(provider, sharer)] as const;
    for (const [from, to] of [[0, 1], [1, 0]] as const) {
      const packet = new Uint8Array(40);
      const end = ends[from].sealer.seal(packet, 0, 24, 0);
      assert.equal(ends[from].opener.open(new Uint8Array(packet), 0, end), -1);
      assert.equal(ends[to].opener.open(packet, 0, end), 24);
    }
  }
});

Deno.test("protectSession gives the exporter secret of its session, when that is wanted", () => {
  const given = PROVIDERS.map((provider) => {
    const client = NoiseHandshake.start(provider, { pattern: "NN", role: "initiator" });
    const sharer = NoiseHandshake.start(provider, { pattern: "NN", role: "responder" });
    sharer.readMessage(client.writeMessage(text(""), countingRandom(1))!);
    client.readMessage(sharer.writeMessage(text(""), countingRandom(2))!);
    const expected = exporterSecret(provider, client.split());
    assert.equal(protectSession(provider, client).exporter, undefined);
    for (const side of [client, sharer]) {
      const { exporter } = protectSession(provider, side, CHACHA20_POLY1305, true);
      assert.deepEqual(exporter, expected);
    }
    return expected;
  });
  for (const exporter of given) assert.deepEqual(exporter, given[0]);
});
