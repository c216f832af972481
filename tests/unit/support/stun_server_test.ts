import assert from "node:assert/strict";
import { parseSocketAddress, type SocketAddress } from "../../../lib/nat/address.ts";
import { type BindingRequest, encodeBindingRequest } from "../../../lib/nat/stun/encode.ts";
import { decodeStunMessage } from "../../../lib/nat/stun/message.ts";
import { answerStun, type StunServer, stunServerAddresses } from "../../support/stun_server.ts";

const at = (text: string): SocketAddress => parseSocketAddress(text)!;
const CLIENT = at("198.51.100.7:5000");
const FULL: StunServer = { primary: at("203.0.113.1:3478"), alternate: at("203.0.113.2:3479") };
const PLAIN: StunServer = { primary: FULL.primary };

function request(change: Omit<BindingRequest, "transactionId"> = {}): Uint8Array {
  const out = new Uint8Array(64);
  const transactionId = new Uint8Array(12).fill(7);
  return out.slice(0, encodeBindingRequest({ transactionId, ...change }, out, 0));
}

Deno.test("answerStun answers from where it was asked, and tells the opposite corner", () => {
  const addresses = stunServerAddresses(FULL);
  assert.equal(addresses.length, 4);
  for (const here of addresses) {
    const { bytes, fromAddress } = answerStun(request(), CLIENT, here, FULL)!;
    const { mappedAddress, otherAddress, responseOrigin } = decodeStunMessage(bytes)!;
    assert.deepEqual(fromAddress, here);
    assert.deepEqual(responseOrigin, here);
    assert.deepEqual(mappedAddress, CLIENT);
    assert.notEqual(otherAddress!.host, here.host);
    assert.notEqual(otherAddress!.port, here.port);
  }
});

Deno.test("answerStun changes host and port as it is asked", () => {
  const from = (change: Omit<BindingRequest, "transactionId">) =>
    answerStun(request(change), CLIENT, FULL.primary, FULL)!.fromAddress;
  assert.deepEqual(from({ changeAddress: true }), at("203.0.113.2:3478"));
  assert.deepEqual(from({ changePort: true }), at("203.0.113.1:3479"));
  assert.deepEqual(from({ changeAddress: true, changePort: true }), FULL.alternate);
});

Deno.test("answerStun refuses on a plain server what only two addresses can do", () => {
  const { bytes, fromAddress } = answerStun(
    request({ changePort: true }),
    CLIENT,
    PLAIN.primary,
    PLAIN,
  )!;
  assert.deepEqual(fromAddress, PLAIN.primary);
  const { errorCode, refusedAttributes } = decodeStunMessage(bytes)!;
  assert.deepEqual([errorCode, refusedAttributes], [420, [0x0003]]);
  const plain = decodeStunMessage(answerStun(request(), CLIENT, PLAIN.primary, PLAIN)!.bytes)!;
  assert.deepEqual(plain.mappedAddress, CLIENT);
  assert.equal(plain.otherAddress, undefined);
});

Deno.test("answerStun is silent to what is no request", () => {
  const { bytes } = answerStun(request(), CLIENT, FULL.primary, FULL)!;
  assert.equal(answerStun(bytes, CLIENT, FULL.primary, FULL), undefined);
  assert.equal(answerStun(new Uint8Array(1200), CLIENT, FULL.primary, FULL), undefined);
});
