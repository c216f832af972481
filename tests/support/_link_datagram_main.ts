/**
 * What the link towards addresses carries in one piece, seen from the namespace that this is run in:
 * a line for each address that is an argument.
 */
import { parseIpAddress } from "../../lib/nat/address.ts";
import { linkDatagramBytes } from "../../lib/transport/link_datagram.ts";

for (const text of Deno.args) {
  const bytes = linkDatagramBytes({ ...parseIpAddress(text)!, port: 9 });
  // deno-lint-ignore no-console -- what it prints is its answer
  console.log(bytes ?? "unknown");
}
