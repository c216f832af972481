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
  // Those of `node:fs` have no classes.
  ["ENOENT", "not_found"],
  ["EACCES", "denied"],
  ["EPERM", "denied"],
  ["ELOOP", "replaced"],
  ["ENOSPC", "no_space"],
  ["EDQUOT", "no_space"],
  ["EFBIG", "no_space"],
  ["EROFS", "read_only"],
  ["ENAMETOOLONG", "bad_name"],
  ["EILSEQ", "bad_name"],
  ["EINVAL", "bad_name"],
]);

/** What people can do something about, in plain words; for the rest the system's own do. */
const PLAIN_REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "there is no space left on the disk"],
  ["EDQUOT", "the quota of this user on the disk is used up"],
  ["EFBIG", "the file is too large for this file system"],
  ["EROFS", "the file system is read-only"],
  ["EACCES", "permission denied for this user"],
  ["EPERM", "the system does not permit it"],
]);

/** ERROR_DISK_FULL, ERROR_INVALID_NAME, ERROR_WRITE_PROTECT and the like, which Deno gives no code. */
const WINDOWS_KINDS: readonly (readonly [RegExp, StorageErrorKind])[] = [
  [/\(os error (?:112|39)\)/, "no_space"],
  [/\(os error (?:123|206)\)/, "bad_name"],
  [/\(os error 19\)/, "read_only"],
];

/** What Deno gives no code on other systems, by the number at the end of its message. */
const CODES_BY_NUMBER: ReadonlyMap<string, string> = new Map([
  ["27", "EFBIG"],
  [Deno.build.os === "darwin" ? "69" : "122", "EDQUOT"],
]);

/** What a system says that cannot do it at all, as some of a network say to the sync of a folder. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  "EINVAL",
  "EBADF",
  "ENOSYS",
  "ENOTSUP",
  "EOPNOTSUPP",
]);

/** Whether a call failed because the system or the file system does not have it. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof Error && UNSUPPORTED.has(codeOf(error));
}

/** The error of a call that failed, or the error itself when it is one of a storage already. */
export function storageError(what: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  if (!(error instanceof Error)) throw error;
  // Call and path stand behind the reason, and from `node:fs` a code before it; `what` has said both.
  const reason = PLAIN_REASONS.get(codeOf(error)) ??
    error.message.replace(/^E[A-Z0-9]+: /, "").replace(/[:,] \w+ '.*$/s, "");
  return new StorageError(kindOf(error), `Cannot ${what}: ${reason}`, { cause: error });
}

function kindOf(error: Error): StorageErrorKind {
  if (error instanceof Deno.errors.NotCapable) return "permission_missing";
  if (error instanceof Deno.errors.NotFound) return "not_found";
  if (error instanceof Deno.errors.PermissionDenied) return "denied";
  const kind = KINDS_BY_CODE.get(codeOf(error));
  if (kind !== undefined) return kind;
  if (Deno.build.os === "windows") {
    for (const [pattern, windowsKind] of WINDOWS_KINDS) {
      if (pattern.test(error.message)) return windowsKind;
    }
  }
  return "other";
}

/** The system's name of the error; empty when it has none. */
function codeOf(error: Error): string {
  const { code } = error as Error & { code?: unknown };
  if (typeof code === "string") return code;
  const number = Deno.build.os === "windows" ? undefined : /\(os error (\d+)\)/.exec(error.message);
  return CODES_BY_NUMBER.get(number?.[1] ?? "") ?? "";
}
