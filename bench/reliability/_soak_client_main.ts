/** Receives what it is told to, one share after the other, until its input ends. */
import type { TransferEvent } from "../../lib/events.ts";
import { receive } from "../../lib/receive.ts";
import { readLines } from "./json_process.ts";
import { type ClientOrder, type ClientSaid, LOOPBACK, say, sayMemory } from "./soak_words.ts";

async function take({ code, directory }: ClientOrder): Promise<void> {
  let last: TransferEvent | undefined;
  let resumedBytes = 0;
  for await (const event of receive(code, { ...LOOPBACK, directory, timeoutMs: 30_000 })) {
    last = event;
    if (event.event === "resumed") resumedBytes = event.bytes;
  }
  const end = last?.event === "error" ? last.code : `${last?.event}`;
  say<ClientSaid>({ end, resumedBytes });
}

const timer = sayMemory();
let turn = Promise.resolve();
await readLines(Deno.stdin.readable, (line) => turn = turn.then(() => take(JSON.parse(line))));
await turn;
clearInterval(timer);
