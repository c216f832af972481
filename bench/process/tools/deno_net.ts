/** HTTPS and QUIC as Deno itself has them, in the smallest programs that move files by them. */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "../program.ts";
import { receiveFrom } from "../receiving.ts";
import { type Job, missingPrograms, type Tool } from "../tool.ts";

const HTTPS_PEER = fileURLToPath(new URL("./_https_peer_main.ts", import.meta.url));
const QUIC_PEER = fileURLToPath(new URL("./_quic_peer_main.ts", import.meta.url));

function deno(program: string, ...args: readonly string[]): string[] {
  return [Deno.execPath(), "run", "--no-config", "-A", "--unstable-net", program, ...args];
}

/** Makes a certificate for the sender's address, for this transfer alone. */
async function makeCertificate({ place, scratch }: Job): Promise<{ cert: string; key: string }> {
  const [cert, key] = [join(scratch, "cert.pem"), join(scratch, "key.pem")];
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" "),
      ...["-subj", "/CN=bench", "-keyout", key, "-out", cert],
      ...["-addext", `subjectAltName=IP:${place.sender.address}`],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ],
  }).output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
  return { cert, key };
}

/** Writes down which files there are; both programs are told of them by a file. */
async function listFiles({ source, isFolder, scratch }: Job): Promise<string> {
  const names: string[] = [];
  const parent = dirname(source);
  const walk = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      const path = join(folder, name);
      if (isDirectory) walk(path);
      else names.push(relative(parent, path));
    }
  };
  if (isFolder) walk(source);
  else names.push(relative(parent, source));
  const list = join(scratch, "files");
  await Deno.writeTextFile(list, names.join("\n"));
  return list;
}

/** What a pair of programs needs beyond what both are told. */
interface DenoPair extends Pick<Tool, "name" | "title" | "carrier" | "bearsLoss"> {
  readonly program: string;
  /** Further words for the server. */
  readonly serverWords: readonly string[];
  /** Where the client finds it, in words. */
  readonly whereabouts: (address: string, port: string) => readonly string[];
}

/** A tool of one program of ours that serves files, and fetches them. */
function denoTool({ program, serverWords, whereabouts, ...about }: DenoPair): Tool {
  return {
    ...about,
    takesFolders: true,
    missing: () => missingPrograms("openssl"),
    version: () => Promise.resolve(`Deno ${Deno.version.deno}`),
    transfer: async (job) => {
      const { cert, key } = await makeCertificate(job);
      const list = await listFiles(job);
      const { address, wrapper } = job.place.sender;
      const folder = dirname(job.source);
      await using server = new Program(
        deno(program, "serve", folder, cert, key, address, ...serverWords),
        { wrapper },
      );
      const [, port] = await server.output(/^port (\d+)$/m);
      const where = whereabouts(address, port!);
      return await receiveFrom(
        server,
        job,
        deno(program, "fetch", ...where, cert, job.target, list),
      );
    },
  };
}

/** `Deno.serve` with a certificate, and `fetch`. */
export const https: Tool = denoTool({
  name: "https",
  title: "Deno's HTTPS",
  carrier: "tcp",
  bearsLoss: false,
  program: HTTPS_PEER,
  serverWords: [],
  whereabouts: (address, port) => [`https://${address}:${port}`],
});

function quicOver(name: string, title: string, control: "default" | "low-latency"): Tool {
  return denoTool({
    name,
    title,
    carrier: "udp",
    bearsLoss: control === "low-latency",
    program: QUIC_PEER,
    serverWords: [control],
    whereabouts: (address, port) => [address, port],
  });
}

/** `Deno.QuicEndpoint` with its default congestion control, CUBIC. */
export const quic: Tool = quicOver("quic", "Deno's QUIC", "default");

/** `Deno.QuicEndpoint` for low latency: a version of BBR. */
export const quicBbr: Tool = quicOver("quic-bbr", "Deno's QUIC, low latency", "low-latency");
