/**
 * The program in the real world: its streams, its permissions, its signals and the real library.
 * Everything is loaded only when it is needed, so that `--version` and starting again are quick.
 */
import { identityFolder } from "../identity/identity_place.ts";
import { systemClock } from "../transport/clock.ts";
import { type Installation, ownConfigPath } from "./installation.ts";
import { ENDING_SIGNALS, Interrupt, listenForSignals, RESIZE_SIGNALS } from "./interrupt.ts";
import { isEverythingGranted } from "./permissions.ts";
import { needsSocket, planRelaunch, relaunch, RELAUNCHED_VARIABLE } from "./relaunch.ts";
import { systemStreams } from "./console_streams.ts";

/** Exit status of a program that ends at once on the second Ctrl-C. */
const INTERRUPTED_EXIT = 130;

/**
 * Runs the program.
 *
 * @param args The words after its name.
 * @param moduleUrl URL of its entry module, for starting it again.
 * @returns The exit status.
 */
export async function main(args: readonly string[], moduleUrl: string): Promise<number> {
  const installation: Installation = {
    compiled: Deno.build.standalone,
    moduleUrl,
    windows: Deno.build.os === "windows",
  };
  const hasSocket = typeof Deno.listenDatagram === "function";
  if (!hasSocket && !installation.compiled && needsSocket(args) && await mayRelaunch()) {
    const plan = planRelaunch(args, installation, ownConfigPath(installation));
    return await relaunch(plan, installation.windows);
  }
  const interrupt = new Interrupt(() => Deno.exit(INTERRUPTED_EXIT));
  const stopListening = listenForSignals(
    ENDING_SIGNALS,
    () => interrupt.handleSignal(systemClock.now()),
  );
  const outputClosed = new AbortController();
  const streams = systemStreams(() => outputClosed.abort());
  try {
    const { runProgram } = await import("./program.ts");
    return await runProgram(args, {
      streams,
      clock: systemClock,
      timeMs: () => Date.now(),
      signal: AbortSignal.any([interrupt.signal, outputClosed.signal]),
      onResize: (handle) => listenForSignals(RESIZE_SIGNALS, handle),
      installation,
      permissions: (descriptor) => Deno.permissions.query(descriptor),
      env: readEnv,
      noColor: Deno.noColor,
      hasSocket,
      send: async (source, options) => (await loaded(import("../share.ts"))).send(source, options),
      share: async (source, options) =>
        (await loaded(import("../share.ts"))).share(source, options),
      receive: async (code, options) =>
        (await loaded(import("../receive.ts"))).receive(code, options),
      doctor: async (code, options) => (await loaded(import("../doctor.ts"))).doctor(code, options),
      verify: async (paths, options) =>
        (await loaded(import("../verify.ts"))).verify(paths, options),
      localNetwork: async () => await loaded(import("../local_network.ts")),
      identityFolder: (given) =>
        identityFolder({
          os: Deno.build.os,
          env: readEnv,
          ...(given === undefined ? {} : { given }),
        }),
      openLog: async (...file) =>
        await (await loaded(import("./log_file.ts"))).openLogFile(...file),
      openIdentities: async (folder) =>
        (await loaded(import("../identities.ts"))).openIdentities(folder),
    });
  } finally {
    stopListening();
  }
}

/** Keeps a module that cannot be loaded (a TypeError) apart from wrong arguments (one too). */
async function loaded<T>(module: Promise<T>): Promise<T> {
  try {
    return await module;
  } catch (cause) {
    throw new Error("Cannot load a module of the program", { cause });
  }
}

/** Everything is granted, and this is not the second process already. */
async function mayRelaunch(): Promise<boolean> {
  return await isEverythingGranted((descriptor) => Deno.permissions.query(descriptor)) &&
    readEnv(RELAUNCHED_VARIABLE) === undefined;
}

function readEnv(name: string): string | undefined {
  const isGranted = Deno.permissions.querySync({ name: "env", variable: name }).state === "granted";
  return isGranted ? Deno.env.get(name) : undefined;
}
