/**
 * Goal: the system's sockets keep the contract, and binding fails with the right words.
 * Method: the contract suite over loopback for each adapter and family; whole processes where the
 * flags of a process decide. Needs --allow-net, and --allow-run and --allow-read for the processes.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../lib/errors.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { NodeSocket } from "../../lib/transport/node_socket.ts";
import { openSocket } from "../../lib/transport/open_socket.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { datagramSocketContract } from "../support/datagram_socket_contract.ts";
import { within } from "../support/within.ts";

const FAMILIES = [
  { family: 4, host: "127.0.0.1", other: "::1" },
  { family: 6, host: "::1", other: "127.0.0.1" },
] as const;

for (const { family, host, other } of FAMILIES) {
  const fixture = {
    closedPort: { family, host, port: 9 },
    otherFamily: { family: family === 4 ? 6 : 4, host: other, port: 9 },
  } as const;
  datagramSocketContract(`DenoSocket on IPv${family}`, {
    ...fixture,
    open: (port = 0) => Promise.resolve(new DenoSocket({ family, host, port })),
  });
  datagramSocketContract(`NodeSocket on IPv${family}`, {
    ...fixture,
    open: (port = 0) => NodeSocket.open({ family, host, port }),
  });
}

Deno.test("openSocket takes the fast socket where it exists", async () => {
  const socket = await openSocket({ family: 4, host: "127.0.0.1", port: 0, allowSlowSocket: true });
  assert.ok(socket instanceof DenoSocket);
  assert.equal(socket.localAddress.host, "127.0.0.1");
  socket.close();
});

Deno.test("openSocket says that a port is in use", async () => {
  const first = await openSocket({ family: 4, host: "127.0.0.1", port: 0 });
  await assert.rejects(
    openSocket({ family: 4, host: "127.0.0.1", port: first.localAddress.port }),
    (error: unknown) =>
      error instanceof TransferError && error.code === "usage" && /in use/.test(error.message),
  );
  first.close();
});

Deno.test("openSocket says that an address is not this machine's", async () => {
  await assert.rejects(
    openSocket({ family: 4, host: "192.0.2.77", port: 0 }),
    (error: unknown) =>
      error instanceof TransferError && error.code === "usage" &&
      /no such address/.test(error.message),
  );
});

Deno.test("DenoSocket gives an IPv4 peer of a dual-stack socket its IPv4 address", {
  // Elsewhere an IPv6 socket does not take IPv4 at all.
  ignore: Deno.build.os !== "linux",
}, async () => {
  const dual: DatagramSocket = new DenoSocket({ family: 6, host: "::", port: 0 });
  const peer = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const closed = dual.receive((_datagram, from) => resolve({ ...from }));
  await peer.send(Uint8Array.of(1), { family: 4, host: "127.0.0.1", port: dual.localAddress.port });
  assert.deepEqual(await within("a datagram", promise), { ...peer.localAddress });
  dual.close();
  peer.close();
  await within("receive to end", closed);
});

/** Runs `source` in a process of its own with exactly these flags and returns what it printed. */
async function runWith(flags: string[], source: string): Promise<string> {
  const file = new URL("../support/_socket_probe.ts", import.meta.url).href;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-config", ...flags, file, source],
    stdin: "null",
  });
  const { stdout, stderr } = await within("the process", command.output());
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

Deno.test("openSocket without --unstable-net is socket_unavailable, or slow when allowed", async () => {
  assert.equal(await runWith(["--allow-net"], "open"), "socket_unavailable");
  assert.equal(await runWith(["--allow-net"], "open-slow"), "NodeSocket");
});

Deno.test("openSocket without net permission is permission_missing", async () => {
  assert.equal(await runWith(["--unstable-net"], "open"), "permission_missing");
});

Deno.test("DenoSocket counts datagrams to destinations outside a scoped permission", async () => {
  const flags = ["--unstable-net", "--allow-net=127.0.0.1:0,127.0.0.1:4001"];
  assert.equal(await runWith(flags, "scoped"), "true false false 2");
});
