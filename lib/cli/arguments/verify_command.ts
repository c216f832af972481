/** The command line of `verify`. */
import { Command } from "npm:commander@15.1.0";
import type { VerifyInvocation } from "../invocation.ts";
import { outputArguments, type OutputOptions } from "./option_groups.ts";

/** `verify`. */
export function verifyCommand(report: (invocation: VerifyInvocation) => void): Command {
  return new Command("verify")
    .summary("compare received files with their manifest")
    .description(
      "Reads files back and compares them with a manifest that receive --manifest or sha256sum " +
        "wrote. Uses no network.",
    )
    .argument("[path...]", "folders, or files in the manifest (default: the folder it lies in)")
    .requiredOption("--manifest <file>", "the manifest")
    .action((paths: string[], _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<OutputOptions & { manifest: string }>();
      report({
        command: "verify",
        ...outputArguments(options),
        paths,
        manifest: options.manifest,
      });
    });
}
