/** Makes errors of a storage out of those Deno and `node:fs` throw, by class and code. */
import { StorageError, type StorageErrorKind } from "./storage.ts";

/** Makes a call; `what` follows “Cannot” in the message when it fails. */
export async function attempt<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw storageError(what, error);
  }
}

const KINDS_BY_CODE: ReadonlyMap<string, StorageErrorKind> = new Map([
  // Of `node:fs`, whose errors have no classes.
  ["ENOENT", "not_found"],
  ["EACCES", "denied"],
  ["EPERM", "denied"],
  ["ELOOP", "replaced"],
  ["ENOSPC", "no_space"],
  ["EDQUOT", "no_space"],
  ["EFBIG", "no_space"],
  ["ENAMETOOLONG", "bad_name"],
  ["EILSEQ", "bad_name"],
  ["EINVAL", "bad_name"],
]);

/** ERROR_DISK_FULL, ERROR_HANDLE_DISK_FULL and ERROR_INVALID_NAME, which Deno gives no code. */
const WINDOWS_KINDS: readonly (readonly [RegExp, StorageErrorKind])[] = [
  [/\(os error (?:112|39)\)/, "no_space"],
  [/\(os error (?:123|206)\)/, "bad_name"],
];

/** The error of a call that failed, or the error itself when it is one of a storage already. */
export function storageError(what: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) throw error;
  // Call and path stand behind the reason, and from `node:fs` a code before it; `what` has said both.
  const reason = error.message.replace(/^E[A-Z0-9]+: /, "").replace(/[:,] \w+ '.*$/s, "");
  return new StorageError(kindOf(error), `Cannot ${what}: ${reason}`, { cause: error });
}

function kindOf(error: Error): StorageErrorKind {
  if (error instanceof Deno.errors.NotCapable) return "permission_missing";
  if (error instanceof Deno.errors.NotFound) return "not_found";
  if (error instanceof Deno.errors.PermissionDenied) return "denied";
  const code = (error as Error & { code?: unknown }).code;
  const kind = typeof code === "string" ? KINDS_BY_CODE.get(code) : undefined;
  if (kind !== undefined) return kind;
  if (Deno.build.os === "windows") {
    for (const [pattern, windowsKind] of WINDOWS_KINDS) {
      if (pattern.test(error.message)) return windowsKind;
    }
  }
  return "other";
}
