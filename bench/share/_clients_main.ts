/** As many clients as it is told, together in one process, until its input ends. */
import { readLines } from "../reliability/json_process.ts";
import { LightClient } from "./light_client.ts";
import { type ClientsOrder, type ClientsSaid, say } from "./words.ts";

const clients: LightClient[] = [];

async function connect(count: number, code: string, takesNothing: boolean): Promise<void> {
  const fresh = await Promise.all(
    Array.from({ length: count }, () => LightClient.connect(code, takesNothing)),
  );
  clients.push(...fresh);
  await Promise.all(fresh.map(({ first }) => first));
  say<ClientsSaid>({ connected: count });
}

await readLines(Deno.stdin.readable, (line) => {
  const order: ClientsOrder = JSON.parse(line);
  if ("connect" in order) {
    void connect(order.connect, order.code, order.takesNothing ?? false);
  } else {
    const bytes = clients.map(({ receivedBytes }) => receivedBytes);
    say<ClientsSaid>({ atMs: performance.now(), bytes });
  }
});
Deno.exit(0); // the clients would go on
