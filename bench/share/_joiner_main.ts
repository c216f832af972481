/**
 * Somebody who cannot get through: the code it is given leads nowhere, so it shows a reply code, and
 * waits to be found. What it takes goes into memory, and it leaves with the first file.
 */
import { receive } from "../../lib/receive.ts";
import { FakeStorage } from "../../tests/support/fake_storage.ts";
import { LOOPBACK } from "../reliability/soak_words.ts";
import { type JoinerSaid, say } from "./words.ts";

const receiving = receive(Deno.args[0]!, {
  ...LOOPBACK,
  localAddresses: true,
  storage: new FakeStorage(),
  directory: "/in",
});
for await (const event of receiving) {
  if (event.event === "reply-code") say<JoinerSaid>({ replyCode: event.code });
  if (event.event === "file-done") {
    say<JoinerSaid>({ firstByteAtMs: performance.timeOrigin + performance.now() });
    break;
  }
  if (event.event === "error") throw new Error(event.message);
}
Deno.exit(0);
