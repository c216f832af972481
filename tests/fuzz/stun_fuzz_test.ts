// Goal: no datagram makes the STUN codec or a discovery throw, and only a server's true answer is
// believed; what was written is what is read.
// Method: random bytes, random attributes behind a right header, and true answers with bytes changed,
// to the decoder and to a discovery that has asked.
import assert from "node:assert/strict";
import fc from "fast-check";
import { ipAddressFromBytes, type SocketAddress } from "../../lib/nat/address.ts";
import { Discovery } from "../../lib/nat/discovery/discovery.ts";
import { encodeBindingRequest, encodeBindingResponse } from "../../lib/nat/stun/encode.ts";
import { decodeStunMessage, isStunMessage } from "../../lib/nat/stun/message.ts";
import { after, instant } from "../../lib/time.ts";
import { Prng } from "../support/prng.ts";
import { answerStun } from "../support/stun_server.ts";

const LOCAL: SocketAddress = { family: 4, host: "192.168.1.2", port: 5000 };
const OUTSIDE: SocketAddress = { family: 4, host: "198.51.100.7", port: 6000 };
const SERVER: SocketAddress = { family: 4, host: "203.0.113.1", port: 3478 };

const id = fc.uint8Array({ minLength: 12, maxLength: 12 });

const attribute = fc.tuple(
  fc.oneof(
    fc.constantFrom(0x0001, 0x0003, 0x0008, 0x0009, 0x000a, 0x0020, 0x8028, 0x802b, 0x802c),
    fc.nat(0xffff),
  ),
  fc.uint8Array({ maxLength: 24 }),
  // Now and then a length that is not the value's.
  fc.option(fc.nat(0xffff), { freq: 8 }),
).map(([number, value, length]) => {
  const padded = new Uint8Array(4 + ((value.length + 3) & ~3));
  const said = length ?? value.length;
  padded.set([number >>> 8, number, said >>> 8, said]);
  padded.set(value, 4);
  return padded;
});

/** Datagrams with the shape of STUN messages, responses mostly. */
const shaped = fc.tuple(
  fc.oneof(fc.constantFrom(0x0101, 0x0111, 0x0001), fc.nat(0x3fff)),
  id,
  fc.array(attribute, { maxLength: 6 }),
).map(([type, transactionId, attributes]) => {
  const body = attributes.flatMap((bytes) => [...bytes]);
  return Uint8Array.of(
    type >>> 8,
    type,
    body.length >>> 8,
    body.length,
    ...[0x21, 0x12, 0xa4, 0x42],
    ...transactionId,
    ...body,
  );
});

const address: fc.Arbitrary<SocketAddress> = fc.tuple(
  fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ),
  fc.integer({ min: 1, max: 65_535 }),
).map(([bytes, port]) => ({ ...ipAddressFromBytes(bytes)!, port }));

Deno.test("decodeStunMessage never throws, and reads only what isStunMessage lets through", () => {
  const any = fc.oneof(fc.uint8Array({ maxLength: 200 }), shaped);
  fc.assert(
    fc.property(any, (datagram) => {
      const message = decodeStunMessage(datagram);
      if (message !== undefined) assert.equal(isStunMessage(datagram), true);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("decodeStunMessage reads what the encoders write", () => {
  const maybeAddress = fc.option(address, { nil: undefined });
  fc.assert(
    fc.property(id, address, maybeAddress, maybeAddress, (transactionId, mapped, other, origin) => {
      const out = new Uint8Array(200);
      const end = encodeBindingResponse(
        {
          transactionId,
          mappedAddress: mapped,
          ...(other && { otherAddress: other }),
          ...(origin && { responseOrigin: origin }),
        },
        out,
        0,
      );
      const read = decodeStunMessage(out.subarray(0, end))!;
      assert.deepEqual(read.mappedAddress, mapped);
      assert.deepEqual(read.otherAddress, other);
      assert.deepEqual(read.responseOrigin, origin);
      assert.deepEqual(read.transactionId, transactionId);
    }),
  );
  fc.assert(
    fc.property(id, fc.boolean(), fc.boolean(), (transactionId, changeAddress, changePort) => {
      const out = new Uint8Array(40);
      const end = encodeBindingRequest({ transactionId, changeAddress, changePort }, out, 0);
      const read = decodeStunMessage(out.subarray(0, end))!;
      assert.deepEqual([read.changeAddress, read.changePort], [changeAddress, changePort]);
    }),
  );
});

Deno.test("Discovery is moved by no datagram but a server's answer", () => {
  const damage = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 255 })), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(shaped, fc.uint8Array({ maxLength: 100 }), damage), { maxLength: 20 }),
      fc.nat(1000),
      (inputs, seed) => {
        let now = instant(0);
        const discovery = new Discovery(now, {
          random: new Prng(seed),
          sockets: [{ index: 0, local: LOCAL }],
          localAddresses: [LOCAL],
          extended: true,
        });
        discovery.addServers(now, [SERVER]);
        const out = new Uint8Array(1472);
        const request = out.slice(0, discovery.pollTransmit(now, out));
        const { bytes } = answerStun(request, OUTSIDE, SERVER, { primary: SERVER })!;
        for (const input of inputs) {
          now = after(now, 1);
          const datagram = input instanceof Uint8Array ? input : bytes.slice();
          if (!(input instanceof Uint8Array)) {
            for (const [index, mask] of input) datagram[index % datagram.length]! ^= mask;
            // Damage that undid itself.
            if (datagram.every((byte, index) => byte === bytes[index])) continue;
          }
          const path = { socket: 0, remote: SERVER };
          const isTaken = discovery.handleDatagram(now, datagram, path);
          // Without a FINGERPRINT the changed answer of a known transaction is an answer.
          if (isTaken) return;
          assert.deepEqual(discovery.report.reflexive, []);
        }
        discovery.handleDatagram(now, bytes, { socket: 0, remote: SERVER });
        assert.deepEqual(discovery.report.reflexive, [{ socket: 0, address: OUTSIDE }]);
      },
    ),
    { numRuns: 300 },
  );
});
