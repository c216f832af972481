/**
 * Announces a share or looks for some, in a process of its own: `lan_process.ts` starts it.
 *
 * - `announce NAME CODE` prints `{ "name": … }` for every name it is announced under, takes lines with
 *   another code, and takes the announcement back at the end of its input.
 * - `browse` prints every event, until the end of its input.
 * - Both print `{ "error": … }` with the code of an error.
 */
import { TransferError } from "../../lib/errors.ts";
import { announceShare } from "../../lib/lan/announce_share.ts";
import { browseShares } from "../../lib/lan/browse_shares.ts";
import { nodeLanNetwork as network } from "../../lib/lan/node_lan_network.ts";
import { systemClock as clock } from "../../lib/transport/clock.ts";
import { systemRandom as random } from "../../lib/transport/random.ts";

const [task, name = "", code = ""] = Deno.args;

function print(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
}

async function* inputLines(): AsyncGenerator<string> {
  let partial = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (partial + text).split("\n");
    partial = lines.pop()!;
    yield* lines;
  }
}

try {
  if (task === "announce") {
    const onName = (name: string) => print({ name });
    await using announcement = await announceShare({ network, clock, random, name, code, onName });
    print({ name: announcement.name });
    for await (const line of inputLines()) announcement.update(line);
  } else {
    const end = new AbortController();
    const read = async () => {
      for await (const _line of inputLines());
      end.abort();
    };
    const reading = read();
    const { signal } = end;
    for await (const event of browseShares({ network, clock, random, signal })) print(event);
    await reading;
  }
} catch (error) {
  if (!(error instanceof TransferError)) throw error;
  print({ error: error.code });
  Deno.exit(1);
}
