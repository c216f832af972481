import assert from "node:assert/strict";
import { TransferError } from "../../../lib/errors.ts";
import { openSocket } from "../../../lib/transport/open_socket.ts";

Deno.test("openSocket without permission names the flag and does not prompt", async () => {
  for (const allowSlowSocket of [false, true]) {
    await assert.rejects(
      openSocket({ family: 6, host: "::1", port: 0, allowSlowSocket }),
      (error: unknown) => {
        assert.ok(error instanceof TransferError);
        assert.equal(error.code, "permission_missing");
        assert.match(error.message, /--allow-net/);
        assert.match(error.message, /\[::1\]:0/);
        return true;
      },
    );
  }
});
