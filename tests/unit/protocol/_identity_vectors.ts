/** The part "Identities and a short code" of the worked example, computed from its fixed inputs. */
import { decodeBech32m } from "../../../lib/bytes/bech32m.ts";
import { encodeHex } from "../../../lib/bytes/hex.ts";
import { signIdentity } from "../../../lib/crypto/identity.ts";
import { nodeProvider } from "../../../lib/crypto/node_provider.ts";
import {
  derivePairSecret,
  exporterSecret,
  shortCodeChecksumMask,
  shortCodeT,
} from "../../../lib/crypto/pair_secret.ts";
import { fingerprintOf } from "../../../lib/identity/fingerprint.ts";
import { parseSocketAddress } from "../../../lib/nat/address.ts";
import { encodeShortCode } from "../../../lib/rendezvous/short_code.ts";

const provider = nodeProvider;

/** `length` bytes that count up from `first`. */
function counting(first: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => first + index);
}

/** Names and values, as they stand in the document. */
export function identityVectors(): Map<string, string> {
  const [clientSecret, sharerSecret] = [counting(0x00, 32), counting(0x20, 32)];
  const handshakeHash = counting(0x40, 32);
  const hint = counting(0xa0, 4);
  const clientKey = provider.signingKeyOf(clientSecret);
  const sharerKey = provider.signingKeyOf(sharerSecret);
  const exporter = exporterSecret(provider, {
    initiatorSecret: counting(0x60, 32),
    responderSecret: counting(0x80, 32),
  });
  const pairSecret = derivePairSecret(provider, exporter, { handshakeHash, clientKey, sharerKey });
  const candidates = [
    { kind: "reflexive", address: parseSocketAddress("203.0.113.5:40000")! },
    { kind: "host", address: parseSocketAddress("192.168.1.20:40000")! },
  ] as const;
  const pair = { sharerKey, pairSecret };
  const code = { hint, mappingClass: "endpoint_independent", candidates } as const;
  const shortCode = encodeShortCode(provider, code, pair);
  const mask = shortCodeChecksumMask(provider, pairSecret, { sharerKey, hint });
  const read = decodeBech32m("p2p", shortCode, mask);
  if (!read.ok) throw new Error("The short code has another checksum");
  const statement = (secret: Uint8Array, role: "client" | "sharer") =>
    encodeHex(signIdentity(provider, secret, { role, handshakeHash }));
  return new Map([
    ["client's key", encodeHex(clientKey)],
    ["sharer's key", encodeHex(sharerKey)],
    ["client's statement", statement(clientSecret, "client")],
    ["sharer's statement", statement(sharerSecret, "sharer")],
    ["client's fingerprint", fingerprintOf(provider, clientKey)],
    ["sharer's fingerprint", fingerprintOf(provider, sharerKey)],
    ["E", encodeHex(exporter)],
    ["P", encodeHex(pairSecret)],
    ["t of the short code", encodeHex(shortCodeT(provider, pairSecret, { sharerKey, hint }))],
    ["short code bytes", encodeHex(read.bytes)],
    ["short code", shortCode],
  ]);
}
