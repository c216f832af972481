/** The command lines of `peers`. */
import { Command } from "npm:commander@15.1.0";
import type { PeersAction, PeersInvocation } from "../invocation.ts";
import { addHomeOption, outputArguments, type OutputOptions } from "./option_groups.ts";

interface PeersOptions extends OutputOptions {
  readonly home?: string;
  readonly create?: true;
}

/** `peers`. */
export function peersCommand(report: (invocation: PeersInvocation) => void): Command {
  const addAction = (
    action: Command,
    read: (words: readonly string[], options: PeersOptions) => PeersAction,
  ) =>
    command.addCommand(
      action.action((...given: unknown[]) => {
        // Behind the arguments stand the options and the command.
        const self = given.pop() as Command;
        const options = self.optsWithGlobals<PeersOptions>();
        report({
          command: "peers",
          ...outputArguments(options),
          action: read(self.args, options),
          ...(options.home === undefined ? {} : { home: options.home }),
        });
      }),
    );
  const command = new Command("peers")
    .summary("show your own key, and those who are remembered")
    .description(
      "Shows and changes whom this machine remembers. A PEER is a name, or the beginning of a " +
        "fingerprint. Uses no network.",
    );
  addHomeOption(command);
  addAction(
    new Command("list").summary("show them, and your own fingerprint")
      .description("Shows who is remembered, and your own fingerprint."),
    () => ({ kind: "list" }),
  );
  addAction(
    new Command("me").summary("show your own fingerprint and key")
      .description("Shows your own fingerprint and your whole public key, for others to remember.")
      .option("--create", "make one when there is none yet"),
    (_words, { create }) => ({ kind: "me", create: create ?? false }),
  );
  addAction(
    new Command("add").summary("remember somebody by their key")
      .description("Remembers somebody by the key that peers me prints on their machine.")
      .argument("<name>", "what to call them").argument("<key>", "their key, p2pid1…"),
    ([name, key]) => ({ kind: "add", name: name!, key: key! }),
  );
  addAction(
    new Command("rename").summary("give one another name")
      .description("Gives a peer another name.")
      .argument("<peer>", "who").argument("<name>", "what to call them from now on"),
    ([peer, name]) => ({ kind: "rename", peer: peer!, name: name! }),
  );
  addAction(
    new Command("remove").alias("forget").summary("forget one")
      .description("Forgets a peer, and what was kept for short codes.")
      .argument("<peer>", "who"),
    ([peer]) => ({ kind: "remove", peer: peer! }),
  );
  return command;
}
