import assert from "node:assert/strict";
import { NoiseHandshake } from "../../../lib/crypto/noise.ts";
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
