/** What the disk and its file system need by themselves: a copy within one host. */
import { Program, versionLine } from "../program.ts";
import { receiveFrom } from "../receiving.ts";
import { missingPrograms, type Tool } from "../tool.ts";

/** `cp -r`. */
export const copy: Tool = {
  name: "cp",
  title: "cp, no network",
  carrier: "none",
  bearsLoss: true,
  isCeiling: true,
  takesFolders: true,
  missing: () => missingPrograms("cp", "sleep"),
  version: () => versionLine("cp", "--version"),
  transfer: async (job) => {
    // There is no other side.
    await using nobody = new Program(["sleep", "3600"]);
    const { isDone, wallMs, receiver } = await receiveFrom(nobody, job, [
      "cp",
      "-r",
      job.source,
      job.target,
    ]);
    return { isDone, wallMs, ...(receiver === undefined ? {} : { receiver }) };
  },
};
