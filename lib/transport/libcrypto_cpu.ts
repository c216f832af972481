/**
 * What libcrypto found out about the processor. With instructions for AES and for the carry-less
 * multiplication of GCM, AES-256-GCM is faster than ChaCha20-Poly1305 and takes the same time
 * whatever the key; without them it is several times slower.
 *
 * Asked for and not measured: on a busy machine a trial of both gives another answer now and then.
 */
import type { Libcrypto } from "./libcrypto.ts";

/** Of `OPENSSL_info`: what stands in `OPENSSL_ia32cap` or `OPENSSL_armcap`. */
const OPENSSL_INFO_CPU_SETTINGS = 1008;

/**
 * The bits of both instructions: AES-NI and PCLMULQDQ on x86, AES and PMULL on ARM.
 *
 * @see {@link https://docs.openssl.org/3.0/man3/OPENSSL_ia32cap/ | OPENSSL_ia32cap, bits 57 and 33}
 */
const AES_GCM_BITS = { ia32: 1n << 57n | 1n << 33n, arm: 1n << 2n | 1n << 5n } as const;

/** Whether the processor, as libcrypto uses it, has instructions for AES-GCM; false if in doubt. */
export function hasAesInstructions(functions: Libcrypto): boolean {
  const settings = functions.OPENSSL_info(OPENSSL_INFO_CPU_SETTINGS);
  return settings !== null &&
    namesAesInstructions(new Deno.UnsafePointerView(settings).getCString());
}

/**
 * Reads libcrypto's own words.
 *
 * @param settings E.g. `OPENSSL_ia32cap=0x7ffaf3ffffebffff:0x27ab`; the first number counts.
 */
export function namesAesInstructions(settings: string): boolean {
  const match = /OPENSSL_(ia32|arm)cap=(0x[0-9a-f]{1,16})\b/.exec(settings);
  if (match === null) return false;
  const needed = AES_GCM_BITS[match[1] as keyof typeof AES_GCM_BITS];
  return (BigInt(match[2]!) & needed) === needed;
}
