/**
 * Which library the primitives come from, decided once at start by the self-test: `node:crypto`,
 * because it is three to eight times as fast, else the portable one. Both give the same bytes.
 */
import { TransferError } from "../errors.ts";
import { nodeProvider } from "./node_provider.ts";
import { portableProvider } from "./portable_provider.ts";
import type { CryptoProvider } from "./provider.ts";
import { selfTest } from "./self_test.ts";

/**
 * The first provider that passes the self-test. It takes about a millisecond: call it once and hand
 * the result on.
 *
 * @param candidates In order of preference.
 * @throws {TransferError} `internal`, with the reasons, if none passes.
 */
export function selectProvider(
  candidates: readonly CryptoProvider[] = [nodeProvider, portableProvider],
): CryptoProvider {
  const reasons: string[] = [];
  for (const provider of candidates) {
    const reason = selfTest(provider);
    if (reason === undefined) return provider;
    reasons.push(reason);
  }
  throw new TransferError(
    "internal",
    `Cannot use any cryptographic library: ${reasons.join("; ")}`,
  );
}
