/**
 * The program `p2pft`: sends files from one machine to another, encrypted, directly, with no server.
 *
 * ```sh
 * deno run -A jsr:@p2pft/cli send photos notes.txt
 * deno run -A jsr:@p2pft/cli receive
 * ```
 *
 * The library is `jsr:@p2pft/cli/mod.ts`.
 *
 * @module
 */
import { main } from "./lib/cli/main.ts";

if (import.meta.main) Deno.exit(await main(Deno.args, import.meta.url));
