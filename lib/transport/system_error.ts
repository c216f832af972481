/**
 * Tells the errors of socket calls apart by class and code, never by text. Deno and `node:dgram`
 * both put the system's name for it (`"EMSGSIZE"`) into `code`, where there is one.
 */

/** Codes by which a system tells, from `receive`, of something that befell an earlier send. */
const NOISE_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED", // port unreachable
  "ECONNRESET", // the same on Windows (10054)
  "ECONNABORTED",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EMSGSIZE", // a datagram met a smaller MTU; on Windows also a cut-off datagram (10040)
  "ENETDOWN",
  "ENETRESET", // time to live exceeded on Windows (10052)
  "ENETUNREACH",
  "EPROTO",
]);

/** The `code` of a system error, e.g. `"EADDRINUSE"`; undefined when the error has none. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = (error as Error & { code?: unknown }).code;
  return typeof code === "string" ? code : undefined;
}

/** True for the error of a call that was cut short by, or came after, closing the socket. */
export function isClosedError(error: unknown): boolean {
  return error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted ||
    systemErrorCode(error) === "ERR_SOCKET_DGRAM_NOT_RUNNING";
}

/** True for an error from `receive` that says nothing about the socket: carry on receiving. */
export function isReceiveNoise(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    NOISE_CODES.has(systemErrorCode(error) ?? "");
}

/**
 * True for everything the system, rather than a wrong call of ours, may answer to a send. The list
 * is open (each system has its own ways to refuse a datagram), so it is drawn from the other side:
 * a `TypeError` or `RangeError` without a system code is ours.
 */
export function isSystemError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (systemErrorCode(error) !== undefined) return true;
  return !(error instanceof TypeError || error instanceof RangeError);
}
