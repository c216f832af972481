/**
 * magic-wormhole, with a mailbox server of its own (`twist3 wormhole-mailbox`) in a third host. The
 * files go directly from side to side; no relay for them is given.
 */
import { join } from "node:path";
import { Program, versionLine } from "../program.ts";
import { freePort, receiveFrom } from "../receiving.ts";
import { missingPrograms, type Tool } from "../tool.ts";

/** Nobody else is at this mailbox server. */
const CODE = "1-bench-bench";
/** Instead of the public relay, which is nowhere to be reached: a port where nobody listens. */
const NO_RELAY = "tcp:127.0.0.1:9";

function missing(): string | undefined {
  const reason = missingPrograms("wormhole", "twist3");
  if (reason !== undefined) return reason;
  const { stdout } = new Deno.Command("twist3", { args: ["--help"] }).outputSync();
  return new TextDecoder().decode(stdout).includes("wormhole-mailbox")
    ? undefined
    : "no mailbox server: twist3 has no wormhole-mailbox";
}

/** magic-wormhole in Python. */
export const wormhole: Tool = {
  name: "wormhole",
  title: "magic-wormhole",
  carrier: "tcp",
  bearsLoss: false,
  takesFolders: true,
  missing,
  version: () => versionLine("wormhole", "--version"),
  transfer: async (job) => {
    const { place, scratch } = job;
    const port = freePort();
    await using mailbox = new Program([
      "twist3",
      "wormhole-mailbox",
      `--port=tcp:${port}:interface=${place.helper.address}`,
      `--channel-db=${join(scratch, "mailbox.sqlite")}`,
    ], { wrapper: place.helper.wrapper, cwd: scratch });
    await mailbox.output(/starting on \d+/);
    const words = [
      "wormhole",
      "--relay-url",
      `ws://${place.helper.address}:${port}/v1`,
      "--transit-helper",
      NO_RELAY,
    ];
    await using sender = new Program(
      [...words, "send", "--hide-progress", "--code", CODE, job.source],
      { wrapper: place.sender.wrapper, cwd: scratch },
    );
    await sender.output(/wormhole receive/);
    return await receiveFrom(
      sender,
      job,
      [...words, "receive", "--hide-progress", "--accept-file", CODE],
      { cwd: job.target },
    );
  },
};
