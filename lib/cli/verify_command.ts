/** `p2pft verify`: compare files on this machine with a manifest. */
import type { VerifyInvocation } from "./invocation.ts";
import type { CommandContext } from "./context.ts";
import { JsonReporter } from "./json_reporter.ts";
import { runOperation } from "./run_operation.ts";
import { TextReporter } from "./text_reporter.ts";

/** Runs the command and returns the exit status. */
export async function runVerify(
  invocation: VerifyInvocation,
  context: CommandContext,
): Promise<number> {
  const { paths, manifest, json, quiet, verbose } = invocation;
  const { terminal, streams, installation, clock, signal } = context;
  const reporter = json
    ? new JsonReporter(streams, verbose)
    : new TextReporter(terminal, { role: "verify", quiet, verbose, installation, clock, signal });
  return await runOperation({
    start: () => context.verify(paths, { manifest, signal }),
    reporter,
    signal,
    clock,
  });
}
