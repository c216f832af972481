/** As many clients as it is told, together in one process, until its input ends. */
import { setPriority } from "node:os";
import { readLines } from "../reliability/json_process.ts";
import { LightClient } from "./light_client.ts";
import { type ClientsManner, type ClientsOrder, type ClientsSaid, say } from "./words.ts";

/** The lowest priority of a process (`nice`). */
const LOWEST_PRIORITY = 19;

const clients: LightClient[] = [];

async function connect(count: number, code: string, how: ClientsManner): Promise<void> {
  if (how === "giving-way") setPriority(LOWEST_PRIORITY);
  const fresh = await Promise.all(
    Array.from({ length: count }, () => LightClient.connect(code, how === "stalled")),
  );
  clients.push(...fresh);
  await Promise.all(fresh.map(({ first }) => first));
  say<ClientsSaid>({ connected: count });
}

await readLines(Deno.stdin.readable, (line) => {
  const order: ClientsOrder = JSON.parse(line);
  if ("connect" in order) {
    void connect(order.connect, order.code, order.how);
  } else {
    const bytes = clients.map(({ receivedBytes }) => receivedBytes);
    say<ClientsSaid>({ atMs: performance.now(), bytes });
  }
});
Deno.exit(0); // the clients would go on
