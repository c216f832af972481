/** From arguments to the options of the library. */
import type { DoctorOptions } from "../doctor/doctor_report.ts";
import type { CommonOptions } from "../options.ts";
import type { CommonArguments, TransferArguments } from "./invocation.ts";
import type { World } from "./context.ts";

/** The options behind the arguments of commands that move files. */
export function transferOptions(invocation: TransferArguments, world: World): CommonOptions {
  const { verify, limit, background } = invocation;
  return {
    ...networkOptions(invocation, world),
    verify,
    ...(limit === undefined ? {} : { limitBytesPerSecond: limit }),
    background,
  };
}

/** The options behind the arguments that every command takes. */
export function networkOptions(invocation: CommonArguments, world: World): DoctorOptions {
  return {
    ...(invocation.bind === undefined ? {} : { bind: invocation.bind }),
    ...(invocation.timeoutMs === undefined ? {} : { timeoutMs: invocation.timeoutMs }),
    ...(invocation.stunServers === undefined ? {} : { stunServers: invocation.stunServers }),
    // By default the library knows better: with addresses that replace the machine's own, nobody
    // has to be asked.
    ...(invocation.portMapping ? {} : { portMapping: false }),
    allowLoopback: invocation.allowLoopback,
    signal: world.signal,
  };
}
