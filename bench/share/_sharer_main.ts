/** Shares the path it is given with whoever comes, for as long as its input is open. */
import { share } from "../../lib/share.ts";
import { readLines } from "../reliability/json_process.ts";
import { LOOPBACK } from "../reliability/soak_words.ts";
import { say, type SharerOrder, type SharerSaid } from "./words.ts";

const { gc } = globalThis as { gc?: () => void };

const sharing = await share([Deno.args[0]!], {
  ...LOOPBACK,
  addresses: ["127.0.0.1"],
  maxClients: 256,
});
say<SharerSaid>({ code: sharing.code });
readLines(Deno.stdin.readable, (line) => {
  const order: SharerOrder = JSON.parse(line);
  if ("reply" in order) return sharing.addReply(order.reply);
  gc?.();
  const { heapUsed, external } = Deno.memoryUsage();
  say<SharerSaid>({ usedBytes: heapUsed + external });
}).then(() => sharing.close());
for await (const _ of sharing);
