/** Where the primitives come from on this machine: the fastest library that passes the self-test. */
import { nodeProvider } from "../crypto/node_provider.ts";
import { portableProvider } from "../crypto/portable_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { selectProvider } from "../crypto/select_provider.ts";
import { libcryptoProvider } from "../transport/libcrypto_provider.ts";

/**
 * As `selectProvider`, with the system's libcrypto first where it can be had.
 *
 * @throws {TransferError} `internal` if there is none.
 */
export function selectSystemProvider(): CryptoProvider {
  const others = [nodeProvider, portableProvider];
  const fast = libcryptoProvider(nodeProvider);
  return selectProvider(fast ? [fast, ...others] : others);
}
