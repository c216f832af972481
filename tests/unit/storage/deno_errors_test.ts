/**
 * Goal: what people can do something about is told apart and said in plain words.
 * Method: errors as Deno and `node:fs` throw them.
 */
import assert from "node:assert/strict";
import { isUnsupported, storageError } from "../../../lib/storage/deno_errors.ts";

/** An error of the system, by Deno or by `node:fs`. */
function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

Deno.test("storageError tells full disks, quotas, read-only file systems and permissions apart", () => {
  const reasons = new Map([
    ["ENOSPC", ["no_space", "there is no space left on the disk"]],
    ["EDQUOT", ["no_space", "the quota of this user on the disk is used up"]],
    ["EFBIG", ["no_space", "the file is too large for this file system"]],
    ["EROFS", ["read_only", "the file system is read-only"]],
    ["EACCES", ["denied", "permission denied for this user"]],
    ["EPERM", ["denied", "the system does not permit it"]],
  ]);
  for (const [code, [kind, reason]] of reasons) {
    for (
      const message of ["No such luck (os error 99): write '/x'", `${code}: no such luck, write`]
    ) {
      const error = storageError("write /x", failure(code, message));
      assert.equal(error.kind, kind);
      assert.equal(error.message, `Cannot write /x: ${reason}`);
      assert.ok(error.cause instanceof Error);
    }
  }
});

Deno.test("storageError knows what Deno gives no code", {
  ignore: Deno.build.os !== "linux",
}, () => {
  const reasons = {
    "Disk quota exceeded (os error 122)": "the quota of this user on the disk is used up",
    "File too large (os error 27)": "the file is too large for this file system",
  };
  for (const [message, reason] of Object.entries(reasons)) {
    const error = storageError("write /x", new Error(message));
    assert.equal(error.kind, "no_space");
    assert.equal(error.message, `Cannot write /x: ${reason}`);
  }
});

Deno.test("storageError keeps the system's own words for the rest, without call and path", () => {
  const deno = failure("EIO", "Input/output error (os error 5), write '/x'");
  assert.equal(
    storageError("write /x", deno).message,
    "Cannot write /x: Input/output error (os error 5)",
  );
  const node = failure("EIO", "EIO: i/o error, write '/x'");
  assert.equal(storageError("write /x", node).message, "Cannot write /x: i/o error");
  assert.equal(storageError("write /x", node).kind, "other");
  assert.equal(
    storageError("again", storageError("write /x", node)).message,
    "Cannot write /x: i/o error",
  );
});

Deno.test("isUnsupported tells what a file system cannot do from what went wrong", () => {
  for (const code of ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF"]) {
    assert.ok(isUnsupported(failure(code, "No such luck")), code);
  }
  for (const error of [failure("EIO", "No such luck"), new Error("No such luck"), "no error"]) {
    assert.ok(!isUnsupported(error));
  }
});
