/** Where the primitives come from on this machine: the fastest library that passes the self-test. */
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { selfTest } from "../crypto/self_test.ts";
import { libcryptoProvider } from "../transport/libcrypto_provider.ts";

/**
 * As `selectProvider`, with the system's libcrypto first where it can be had. The portable library is
 * large and seldom needed: it is loaded only where the others fail.
 *
 * @throws {TransferError} `internal` if there is none.
 */
export async function selectSystemProvider(): Promise<CryptoProvider> {
  const fast = libcryptoProvider(nodeProvider);
  const candidates = fast ? [fast, nodeProvider] : [nodeProvider];
  const passing = candidates.find((provider) => selfTest(provider) === undefined);
  if (passing !== undefined) return passing;
  const { portableProvider } = await import("../crypto/portable_provider.ts");
  const { selectProvider } = await import("../crypto/select_provider.ts");
  return selectProvider([...candidates, portableProvider]);
}
