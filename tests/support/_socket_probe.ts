/** Run by tests/e2e/socket_test.ts in a process whose flags are the test; prints one line. */
import { TransferError } from "../../lib/errors.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { openSocket } from "../../lib/transport/open_socket.ts";

async function probe(what: string): Promise<string> {
  if (what === "scoped") {
    const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
    const results: boolean[] = [];
    for (const port of [4001, 4002, 4002]) {
      results.push(await socket.send(new Uint8Array(4), { family: 4, host: "127.0.0.1", port }));
    }
    socket.close();
    return `${results.join(" ")} ${socket.deniedSends}`;
  }
  if (what === "limit-hops") {
    const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
    const results = [socket.limitHops(2), socket.limitHops(undefined)];
    socket.close();
    return results.join(" ");
  }
  if (what === "accelerate" || what === "accelerate-4001") {
    const port = what === "accelerate" ? 0 : 4001;
    const socket = await openSocket({ family: 4, host: "127.0.0.1", port, accelerate: true });
    const { path, receiveBufferBytes } = socket.acceleration!;
    socket.close();
    return `${path} ${receiveBufferBytes}`;
  }
  try {
    const allowSlowSocket = what === "open-slow";
    const socket = await openSocket({ family: 4, host: "127.0.0.1", port: 0, allowSlowSocket });
    socket.close();
    return socket.constructor.name;
  } catch (error) {
    if (error instanceof TransferError) return error.code;
    throw error;
  }
}

await Deno.stdout.write(new TextEncoder().encode(`${await probe(Deno.args[0] ?? "")}\n`));
