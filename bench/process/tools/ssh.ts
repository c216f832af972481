/** scp and rsync, over a private sshd with keys of its own that lives as long as the transfer. */
import { userInfo } from "node:os";
import { join } from "node:path";
import { findProgram, Program, versionLine } from "../program.ts";
import { freePort, receiveFrom } from "../receiving.ts";
import { type Job, missingPrograms, type Tool, type ToolRun } from "../tool.ts";

/** What a client needs to reach the private server. */
interface Login {
  readonly userAtHost: string;
  readonly port: number;
  /** Of ssh and scp alike. */
  readonly options: readonly string[];
}

async function makeKey(path: string): Promise<void> {
  const { success } = await new Deno.Command("ssh-keygen", {
    args: ["-q", "-t", "ed25519", "-N", "", "-f", path],
  }).output();
  if (!success) throw new Error("Cannot make a key: ssh-keygen failed");
}

/** Runs `receive` beside a server in the sender's host. */
async function withServer(
  job: Job,
  receive: (server: Program, login: Login) => Promise<ToolRun>,
): Promise<ToolRun> {
  const [hostKey, key] = [join(job.scratch, "host_key"), join(job.scratch, "key")];
  await makeKey(hostKey);
  await makeKey(key);
  // As root the server will not run without its place for unprivileged children.
  if (Deno.uid() === 0) await Deno.mkdir("/run/sshd", { recursive: true, mode: 0o755 });
  const { address, wrapper } = job.place.sender;
  const port = freePort();
  const settings = {
    ListenAddress: address,
    HostKey: hostKey,
    AuthorizedKeysFile: `${key}.pub`,
    StrictModes: "no",
    PermitRootLogin: "yes",
    UsePAM: "no",
    PidFile: "none",
    Subsystem: "sftp internal-sftp",
  };
  await using server = new Program([
    findProgram("sshd")!,
    "-D",
    "-e",
    "-f",
    "/dev/null",
    "-p",
    `${port}`,
    ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
  ], { wrapper });
  await server.output(/Server listening/);
  const login = {
    userAtHost: `${userInfo().username}@${address}`,
    port,
    options: [
      "-i",
      key,
      ...["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=no"]
        .flatMap((option) => ["-o", option]),
      "-o",
      "UserKnownHostsFile=/dev/null",
    ],
  };
  return await receive(server, login);
}

/** scp as it comes: one ssh connection, SFTP inside. */
export const scp: Tool = {
  name: "scp",
  title: "scp",
  carrier: "tcp",
  bearsLoss: false,
  takesFolders: true,
  missing: () => missingPrograms("scp", "sshd", "ssh-keygen"),
  version: async () => `scp of ${await versionLine("ssh", "-V")}`,
  transfer: (job) =>
    withServer(job, (server, { userAtHost, port, options }) =>
      receiveFrom(server, job, [
        "scp",
        "-q",
        "-r",
        "-P",
        `${port}`,
        ...options,
        `${userAtHost}:${job.source}`,
        job.target,
      ])),
};

/** `rsync -a` over ssh. */
export const rsync: Tool = {
  name: "rsync",
  title: "rsync over ssh",
  carrier: "tcp",
  bearsLoss: false,
  takesFolders: true,
  missing: () => missingPrograms("rsync", "ssh", "sshd", "ssh-keygen"),
  version: () => versionLine("rsync", "--version"),
  transfer: (job) =>
    withServer(job, (server, { userAtHost, port, options }) =>
      receiveFrom(server, job, [
        "rsync",
        "-a",
        "-e",
        ["ssh", "-p", `${port}`, ...options].join(" "),
        `${userAtHost}:${job.source}`,
        `${job.target}/`,
      ])),
};
