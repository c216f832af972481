/** The measured part of a transfer, the same for every tool. */
import { Program, type ProgramOptions } from "./program.ts";
import type { Job, ToolRun } from "./tool.ts";

/**
 * Starts the receiving side and waits until it has ended.
 *
 * @param sender The sending side, which waits for it.
 * @param words The receiving program and its arguments.
 * @param connected What it prints when it is connected, if it does.
 */
export async function receiveFrom(
  sender: Program,
  { place, limitMs, onStart }: Job,
  words: readonly string[],
  options: Omit<ProgramOptions, "wrapper"> = {},
  connected?: RegExp,
): Promise<ToolRun> {
  onStart();
  const start = performance.now();
  await using receiver = new Program(words, { ...options, wrapper: place.receiver.wrapper });
  const connectedAfterMs = connected === undefined ? undefined : receiver.output(connected).then(
    () => performance.now() - start,
    // What went wrong is told by its end.
    () => undefined,
  );
  const isDone = await receiver.end(limitMs);
  const wallMs = performance.now() - start;
  const connectedMs = await connectedAfterMs;
  const [sent, received] = [sender.usage, receiver.usage];
  return {
    isDone,
    wallMs,
    ...(connectedMs === undefined ? {} : { connectedAfterMs: connectedMs }),
    ...(sent === undefined ? {} : { sender: sent }),
    ...(received === undefined ? {} : { receiver: received }),
  };
}

/** A TCP port of loopback that nobody listens on at the moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
