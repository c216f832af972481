/** Our own program: as it is, without FFI, with other congestion control, or as a binary. */
import { join } from "node:path";
import { ALL_FLAGS, CLI_PATH } from "../../../tests/support/cli_process.ts";
import { VERSION } from "../../../lib/version.ts";
import { Program } from "../program.ts";
import { receiveFrom } from "../receiving.ts";
import type { Job, Tool, ToolRun } from "../tool.ts";
import { UdpEmulator } from "../udp_emulator.ts";

/** All it can use but FFI: one system call for each datagram, `node:crypto`. */
const BASE_FLAGS: readonly string[] = [
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--unstable-net",
];

/** Asks nobody outside. */
const ALONE: readonly string[] = ["--stun", "none", "--no-portmap"];

/** One way to run it. */
interface Variant {
  /** The words before its arguments, for a side that may write a profile to a folder. */
  readonly words: (profileFolder?: string) => readonly string[];
  /** Further arguments of the sending side. */
  readonly senderArguments?: readonly string[];
}

function denoRun(flags: readonly string[]): Variant["words"] {
  return (profileFolder) => [
    Deno.execPath(),
    "run",
    "--no-prompt",
    // The published package brings no configuration with it.
    "--no-config",
    ...flags,
    ...(profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`]),
    CLI_PATH,
  ];
}

async function transfer(job: Job, { words, senderArguments = [] }: Variant): Promise<ToolRun> {
  const { place, profileFolder } = job;
  const profileOf = (side: string) =>
    profileFolder === undefined ? undefined : join(profileFolder, side);
  const { address, wrapper } = place.sender;
  await using sender = new Program([
    ...words(profileOf("sender")),
    "send",
    "--yes",
    "--allow-loopback",
    "--no-local-addresses",
    "--address",
    address,
    "--bind",
    `${address}:0`,
    ...senderArguments,
    ...ALONE,
    job.source,
  ], { wrapper });
  const [ownCode] = await sender.output(/^p2p1\S+/m);
  await using emulator = place.emulator === undefined
    ? undefined
    : await UdpEmulator.start(ownCode, place.emulator);
  const run = await receiveFrom(
    sender,
    job,
    [
      ...words(profileOf("receiver")),
      "receive",
      "--yes",
      "--allow-loopback",
      "--no-local-addresses",
      "--output",
      job.target,
      ...ALONE,
    ],
    // The code goes in the environment, as people are told to do on shared machines.
    { env: { P2PFT_CODE: emulator?.code ?? ownCode } },
    /^Connected to /m,
  );
  // It ends by itself, and writes its profile then.
  if (run.isDone) await sender.end(job.limitMs);
  const statistics = await emulator?.stop();
  return statistics === undefined ? run : { ...run, datagrams: statistics.toClients.entered };
}

function tool(name: string, title: string, variant: Variant): Tool {
  return {
    name,
    title,
    carrier: "udp",
    isOurs: true,
    bearsLoss: true,
    takesFolders: true,
    missing: () => undefined,
    version: () => Promise.resolve(`p2pft ${VERSION}`),
    transfer: (job) => transfer(job, variant),
  };
}

/**
 * The ways to run it.
 *
 * @param binary A compiled program in place of `deno run`; what it may do is fixed in it.
 */
export function ownTools(binary?: string): Tool[] {
  if (binary !== undefined) {
    return [tool("p2pft", `p2pft, ${binary.split("/").at(-1)}`, { words: () => [binary] })];
  }
  const turbo = denoRun(ALL_FLAGS);
  return [
    tool("p2pft", "p2pft", { words: turbo }),
    tool("p2pft-base", "p2pft without FFI", { words: denoRun(BASE_FLAGS) }),
    {
      ...tool("p2pft-cubic", "p2pft --cc cubic", {
        words: turbo,
        senderArguments: ["--cc", "cubic"],
      }),
      bearsLoss: false,
      missing: missingChoice,
    },
  ];
}

function missingChoice(): string | undefined {
  const [program, ...args] = [...denoRun(ALL_FLAGS)(), "send", "--help"];
  const { stdout } = new Deno.Command(program!, { args }).outputSync();
  return new TextDecoder().decode(stdout).includes("--cc")
    ? undefined
    : "this version of p2pft has no --cc";
}
