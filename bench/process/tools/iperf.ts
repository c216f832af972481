/** What one TCP connection of the kernel can do on a path, without encryption and without files. */
import { Program, versionLine } from "../program.ts";
import { freePort, receiveFrom } from "../receiving.ts";
import { missingPrograms, type Tool } from "../tool.ts";

/** `iperf3`, from memory to memory. */
export const iperf: Tool = {
  name: "iperf3",
  title: "bare TCP (iperf3), no files",
  carrier: "tcp",
  bearsLoss: false,
  isCeiling: true,
  takesFolders: false,
  missing: () => missingPrograms("iperf3"),
  version: () => versionLine("iperf3", "--version"),
  transfer: async (job) => {
    const { sender: { address, wrapper } } = job.place;
    const port = `${freePort()}`;
    await using server = new Program(
      ["iperf3", "--server", "--one-off", "--forceflush", "--bind", address, "--port", port],
      { wrapper },
    );
    await server.output(/Server listening/);
    const words = ["iperf3", "--client", address, "--port", port, "--reverse"];
    return await receiveFrom(server, job, [...words, "--bytes", `${job.bytes}`]);
  },
};
