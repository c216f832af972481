/** Receiving files: what is asked for, checked and begun. */
import { checkLimit } from "./operation/operation.ts";
import type { ReceiveOptions } from "./options.ts";
import { checkGift } from "./receiving/gift.ts";
import type { Receive } from "./receiving/receive_operation.ts";
import { RunningReceive } from "./receiving/running_receive.ts";

export type { Receive };

/**
 * Takes what a share offers. It starts at once and works on its own; its events tell how. Failures
 * are the last event (`error`), not exceptions.
 *
 * @param code The share's code, in any case, with spaces and dashes or without.
 * @param options Nothing is required; by default files go to the current folder and nothing that is
 *   there is touched.
 * @throws {TypeError} If an option makes no sense, or `output` is used by someone else.
 */
export function receive(code: string, options: ReceiveOptions = {}): Receive {
  checkLimit(options.limitBytesPerSecond);
  const { output, directory, storage, manifest } = options;
  if (output && (directory !== undefined || storage || manifest !== undefined)) {
    throw new TypeError("Cannot use a folder, a storage or a manifest together with `output`");
  }
  if (options.declines && options.offer === undefined) {
    throw new TypeError("Cannot decline everything and offer nothing: there is nothing to do");
  }
  if (options.offer) checkGift(options.offer);
  return new RunningReceive(code, options);
}
