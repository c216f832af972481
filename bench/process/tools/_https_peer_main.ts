/**
 * HTTPS by Deno's own means, the smallest program that does it. Arguments: `serve FOLDER CERT KEY
 * ADDRESS` prints `port N` and answers with the files of a folder; `fetch URL CERT TARGET LIST`
 * gets those that a file lists into a folder, several at a time, and ends.
 */
import { dirname, join } from "node:path";

/** Requests at a time when there are many files; HTTP/1.1, each on a connection of its own. */
const AT_ONCE = 16;

async function serve(folder: string, cert: string, key: string, hostname: string): Promise<void> {
  const server = Deno.serve({
    hostname,
    port: 0,
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
    onListen: ({ port }) => Deno.stdout.writeSync(new TextEncoder().encode(`port ${port}\n`)),
  }, async (request) => {
    const { pathname } = new URL(request.url);
    const file = await Deno.open(join(folder, decodeURIComponent(pathname)));
    const { size } = await file.stat();
    return new Response(file.readable, { headers: { "content-length": `${size}` } });
  });
  await server.finished;
}

async function fetchAll(
  url: string,
  cert: string,
  target: string,
  names: readonly string[],
): Promise<void> {
  using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(cert)], http2: false });
  const waiting = names[Symbol.iterator]();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const name of waiting) {
      const response = await fetch(`${url}/${name}`, { client });
      if (!response.ok) throw new Error(`Cannot fetch ${name}: status ${response.status}`);
      const path = join(target, name);
      await Deno.mkdir(dirname(path), { recursive: true });
      using file = await Deno.open(path, { write: true, createNew: true });
      for await (const part of response.body ?? []) {
        let rest = part;
        while (rest.length > 0) rest = rest.subarray(await file.write(rest));
      }
    }
  }));
}

const [command, ...args] = Deno.args;
if (command === "serve") await serve(args[0]!, args[1]!, args[2]!, args[3]!);
else await fetchAll(args[0]!, args[1]!, args[2]!, (await Deno.readTextFile(args[3]!)).split("\n"));
