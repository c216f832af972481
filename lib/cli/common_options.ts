import type { CommonOptions } from "../options.ts";
import type { CommonArguments } from "./arguments.ts";
import type { World } from "./context.ts";

/** The library's options behind the arguments both commands take. */
export function commonOptions(invocation: CommonArguments, world: World): CommonOptions {
  return {
    ...(invocation.bind === undefined ? {} : { bind: invocation.bind }),
    ...(invocation.timeoutMs === undefined ? {} : { timeoutMs: invocation.timeoutMs }),
    allowLoopback: invocation.allowLoopback,
    verify: invocation.verify,
    signal: world.signal,
  };
}
