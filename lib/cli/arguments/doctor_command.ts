/** The command line of `doctor`. */
import { Command } from "npm:commander@15.1.0";
import type { DoctorInvocation } from "../invocation.ts";
import { addNetworkOptions, networkArguments, type NetworkOptions } from "./option_groups.ts";

/** `doctor`. */
export function doctorCommand(report: (invocation: DoctorInvocation) => void): Command {
  const command = new Command("doctor")
    .summary("say what this network is and what to expect of it")
    .description(
      "Says what network this machine is in and what to expect of it; with the other side's code, " +
        "how the two would meet. Sends nothing to the other side.",
    )
    .argument("[code]", "the code of a share");
  return addNetworkOptions(command, "how long to ask around (default: some seconds)")
    .action((code: string | undefined, _options: unknown, self: Command) => {
      report({
        command: "doctor",
        ...networkArguments(self.optsWithGlobals<NetworkOptions>()),
        ...(code === undefined ? {} : { code }),
      });
    });
}
