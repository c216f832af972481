/**
 * Deno's own QUIC, the smallest program that moves files by it: one stream for each file, its name
 * asked for in one direction, its bytes sent in the other. Arguments: `serve FOLDER CERT KEY ADDRESS
 * CONTROL` prints `port N`; `fetch ADDRESS PORT CERT TARGET LIST` gets the files that a file lists
 * into a folder, several at a time, and ends. CONTROL is the congestion control, as Deno names it.
 */
import { dirname, join } from "node:path";

const PROTOCOL = "files";
/** Streams at a time when there are many files; the default of Deno's server is 100. */
const AT_ONCE = 32;

async function answer(stream: Deno.QuicBidirectionalStream, folder: string): Promise<void> {
  const name = await new Response(stream.readable).text();
  const file = await Deno.open(join(folder, name));
  await file.readable.pipeTo(stream.writable);
}

async function serve(
  folder: string,
  cert: string,
  key: string,
  hostname: string,
  congestionControl: "default" | "low-latency",
): Promise<void> {
  const endpoint = new Deno.QuicEndpoint({ hostname, port: 0 });
  const listener = endpoint.listen({
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
    alpnProtocols: [PROTOCOL],
    congestionControl,
  });
  Deno.stdout.writeSync(new TextEncoder().encode(`port ${endpoint.addr.port}\n`));
  for await (const incoming of listener) {
    const connection = await incoming.accept();
    for await (const stream of connection.incomingBidirectionalStreams) void answer(stream, folder);
  }
}

async function fetchAll(
  hostname: string,
  port: number,
  cert: string,
  target: string,
  names: readonly string[],
): Promise<void> {
  const connection = await Deno.connectQuic({
    hostname,
    port,
    alpnProtocols: [PROTOCOL],
    caCerts: [await Deno.readTextFile(cert)],
  });
  const waiting = names[Symbol.iterator]();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const name of waiting) {
      const stream = await connection.createBidirectionalStream({ waitUntilAvailable: true });
      const writer = stream.writable.getWriter();
      await writer.write(new TextEncoder().encode(name));
      await writer.close();
      const path = join(target, name);
      await Deno.mkdir(dirname(path), { recursive: true });
      using file = await Deno.open(path, { write: true, createNew: true });
      for await (const part of stream.readable) {
        let rest = part;
        while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      }
    }
  }));
  connection.close({ closeCode: 0, reason: "" });
  connection.endpoint.close();
}

const [command, ...args] = Deno.args;
if (command === "serve") {
  const control = args[4] === "low-latency" ? "low-latency" : "default";
  await serve(args[0]!, args[1]!, args[2]!, args[3]!, control);
} else {
  const names = (await Deno.readTextFile(args[4]!)).split("\n");
  await fetchAll(args[0]!, Number(args[1]), args[2]!, args[3]!, names);
}
