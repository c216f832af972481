/** Shares the path it is given with whoever comes, for as long as its input is open. */
import { share } from "../../lib/share.ts";
import { readLines } from "./json_process.ts";
import { LOOPBACK, say, sayMemory, type SharerSaid } from "./soak_words.ts";

const sharing = await share([Deno.args[0]!], {
  ...LOOPBACK,
  addresses: ["127.0.0.1"],
});
say<SharerSaid>({ code: sharing.code });
const timer = sayMemory();
readLines(Deno.stdin.readable, () => {}).then(() => sharing.close());
for await (const _ of sharing);
clearInterval(timer);
