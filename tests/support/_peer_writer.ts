/**
 * A program that adds peers to the file of a folder, one change for each: FOLDER PREFIX COUNT, where
 * a COUNT of 0 goes on for ever. Prints a line once the first one is there.
 */
import { openIdentities } from "../../lib/identities.ts";
import { removePeer } from "../../lib/identity/identity_book.ts";
import { addPeer } from "../../lib/identity/named_peers.ts";

const [folder = "", prefix = "", words = "0"] = Deno.args;
const count = Number(words);
for (let index = 0; count === 0 || index < count; index++) {
  const key = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${prefix} ${index}`)),
  );
  await openIdentities(folder).update((book) => {
    // Without an end, the file must not grow without one.
    const last = book.peers.findLast(({ name }) => name.startsWith(`${prefix} `));
    const rest = count === 0 && last !== undefined ? removePeer(book, last) : book;
    const added = addPeer(rest, { name: `${prefix} ${index}`, publicKey: key }, 1_800_000_000);
    if (added.outcome !== "added") throw new Error(`${prefix} ${index}: ${added.outcome}`);
    return { book: added.book, result: undefined };
  });
  // deno-lint-ignore no-console
  if (index === 0) console.log("begun");
}
