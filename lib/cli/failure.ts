/** Exceptions as the last event of an operation. */
import { type ErrorCode, ERRORS, TransferError } from "../errors.ts";
import type { ErrorEvent } from "../events.ts";

/** A fatal {@linkcode ErrorEvent} of a code, with the table's hint unless another is given. */
export function errorEvent(code: ErrorCode, message: string, hint?: string): ErrorEvent {
  return {
    event: "error",
    code,
    exit: ERRORS[code].exit,
    message,
    hint: hint ?? ERRORS[code].hint,
    fatal: true,
  };
}

/** A fatal {@linkcode ErrorEvent} for whatever was thrown. */
export function errorEventOf(error: unknown): ErrorEvent {
  if (error instanceof TransferError) return errorEvent(error.code, error.message, error.hint);
  const message = error instanceof Error ? error.message : String(error);
  return errorEvent("internal", `Something went wrong inside p2pft: ${message}`);
}

/** The stack of `error` and of its causes, for `-v`. */
export function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  // A chain of causes that leads back to itself would never end.
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    const stack = cause.stack ?? String(cause);
    lines.push(...`${depth === 0 ? "" : "Caused by: "}${stack}`.split("\n"));
    cause = cause.cause;
  }
  return lines;
}
