/**
 * Goal: the system's sockets keep the contract, and binding fails with the right words.
 * Method: the contract suite over loopback for each adapter and family; whole processes where the
 * flags of a process decide. Needs --allow-net and --allow-ffi, and --allow-run and --allow-read for
 * the processes.
 */
import assert from "node:assert/strict";
import { TransferError } from "../../lib/errors.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import {
  extraSocketOpener,
  ExtraSockets,
  SocketAllowance,
} from "../../lib/transport/extra_sockets.ts";
import { HopLimit } from "../../lib/transport/hop_limit.ts";
import { NodeSocket } from "../../lib/transport/node_socket.ts";
import { openSocket } from "../../lib/transport/open_socket.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import { datagramSocketContract } from "../support/datagram_socket_contract.ts";
import { within } from "../support/within.ts";

const FAMILIES = [
  { family: 4, host: "127.0.0.1", other: "::1" },
  { family: 6, host: "::1", other: "127.0.0.1" },
] as const;

/** Elsewhere there is no way to. */
const canLimitHops = Deno.build.os === "linux";
const hasOffload = Deno.build.os === "linux";
/** Linux tells the MTU of loopback; of others no more is known than that nothing is lost. */
const LOOPBACK_BYTES = Deno.build.os === "linux"
  ? { 4: 65_507, 6: 65_488 }
  : { 4: 65_507, 6: 65_507 };

for (const { family, host, other } of FAMILIES) {
  const fixture = {
    closedPort: { family, host, port: 9 },
    otherFamily: { family: family === 4 ? 6 : 4, host: other, port: 9 },
  } as const;
  datagramSocketContract(`DenoSocket on IPv${family}`, {
    ...fixture,
    limitsHops: canLimitHops,
    linkDatagramBytes: LOOPBACK_BYTES[family],
    open: (port = 0) => Promise.resolve(new DenoSocket({ family, host, port })),
  });
  datagramSocketContract(`DenoSocket with offload on IPv${family}`, {
    ...fixture,
    limitsHops: canLimitHops,
    takesTrains: hasOffload,
    linkDatagramBytes: LOOPBACK_BYTES[family],
    open: (port = 0) => openSocket({ family, host, port, accelerate: true }),
  });
  datagramSocketContract(`NodeSocket on IPv${family}`, {
    ...fixture,
    limitsHops: family === 4,
    open: (port = 0) => NodeSocket.open({ family, host, port }),
  });
}

Deno.test("openSocket takes the fast socket where it exists", async () => {
  const socket = await openSocket({ family: 4, host: "127.0.0.1", port: 0, allowSlowSocket: true });
  assert.ok(socket instanceof DenoSocket);
  assert.equal(socket.localAddress.host, "127.0.0.1");
  socket.close();
});

Deno.test("openSocket enlarges the buffers of a socket that is to be fast, and of no other", {
  ignore: !hasOffload,
}, async () => {
  const address = { family: 4, host: "127.0.0.1", port: 0 } as const;
  const plain = await openSocket(address) as DenoSocket;
  assert.deepEqual(plain.acceleration, {
    path: "base",
    receiveBufferBytes: undefined,
    sendBufferBytes: undefined,
  });
  assert.equal(plain.sendTrain, undefined);
  plain.enlargeBuffers();
  const fast = await openSocket({ ...address, accelerate: true });
  const { path, receiveBufferBytes, sendBufferBytes } = fast.acceleration!;
  assert.equal(path, "turbo");
  assert.ok(receiveBufferBytes! > 212_992 && sendBufferBytes! > 212_992);
  assert.equal(plain.acceleration.receiveBufferBytes, receiveBufferBytes);
  assert.equal(plain.acceleration.path, "base");
  plain.close();
  fast.close();
});

Deno.test("openSocket without FFI takes the base path, and asks nobody", async () => {
  assert.equal(await runWith(["--unstable-net", "--allow-net"], "accelerate"), "base undefined");
});

Deno.test("openSocket takes the base path where loopback may not be tried", {
  ignore: !hasOffload,
}, async () => {
  const flags = ["--unstable-net", "--allow-ffi", "--allow-net=127.0.0.1:4001"];
  assert.match(await runWith(flags, "accelerate-4001"), /^base [0-9]+$/);
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

for (const { family, host } of FAMILIES) {
  Deno.test(`DenoSocket on IPv${family} sets the hop limit of its own socket and no other`, {
    ignore: !canLimitHops,
  }, () => {
    // One wildcard and one bound to an address, as main and extra sockets are.
    const sockets = [host, family === 4 ? "0.0.0.0" : "::", host].map((bound) =>
      new DenoSocket({ family, host: bound, port: 0 })
    );
    const limits = sockets.map(({ localAddress }) => HopLimit.of(family, localAddress)!);
    const hops = () => limits.map((limit) => limit.hops);
    const before = hops();
    assert.equal(sockets[1]!.limitHops(3), true);
    assert.deepEqual(hops(), [before[0], 3, before[2]]);
    assert.equal(sockets[0]!.limitHops(1), true);
    assert.deepEqual(hops(), [1, 3, before[2]]);
    for (const socket of sockets) assert.equal(socket.limitHops(undefined), true);
    assert.deepEqual(hops(), before);
    for (const socket of sockets) socket.close();
  });

  Deno.test(`DenoSocket on IPv${family} refuses a hop limit that is none`, {
    ignore: !canLimitHops,
  }, () => {
    const socket = new DenoSocket({ family, host, port: 0 });
    const limit = HopLimit.of(family, socket.localAddress)!;
    const before = limit.hops;
    for (const hops of [0, -1, 256, 2.5, NaN]) assert.equal(socket.limitHops(hops), false);
    assert.equal(limit.hops, before);
    socket.close();
  });
}

Deno.test("HopLimit is not had for a socket of another address, port or family", () => {
  const socket = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { localAddress } = socket;
  const { port } = listener.addr as Deno.NetAddr;
  assert.equal(HopLimit.of(4, { ...localAddress, host: "127.0.0.2" }), undefined);
  assert.equal(HopLimit.of(6, localAddress), undefined);
  assert.equal(HopLimit.of(4, { ...localAddress, port }), undefined, "TCP is no datagram socket");
  listener.close();
  socket.close();
});

Deno.test("DenoSocket without FFI cannot limit hops, and asks nobody", async () => {
  assert.equal(await runWith(["--unstable-net", "--allow-net"], "limit-hops"), "false false");
});

Deno.test("DenoSocket cuts a datagram at the receive buffer it was given", async () => {
  const small = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 }, {
    receiveBufferBytes: 2048,
  });
  const peer = new DenoSocket({ family: 4, host: "127.0.0.1", port: 0 });
  const lengths: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const closed = small.receive((datagram) => {
    if (lengths.push(datagram.length) === 2) resolve();
  });
  for (const length of [1472, 3000]) await peer.send(new Uint8Array(length), small.localAddress);
  await within("two datagrams", promise);
  assert.deepEqual(lengths, [1472, 2048]);
  small.close();
  peer.close();
  await within("receive to end", closed);
});

Deno.test("ExtraSockets opens 256 sockets, each with a port of its own", async () => {
  const held = new Map<number, DatagramSocket>();
  const extra = new ExtraSockets(
    {
      addSocket: (socket) => {
        held.set(held.size, socket);
        return held.size - 1;
      },
      removeSocket: (index) => held.get(index)!.close(),
    },
    extraSocketOpener({ host: "127.0.0.1" }),
    new SocketAllowance(256),
  );
  const indices = await extra.take(4, 300);
  assert.equal(indices.length, 256);
  const ports = new Set([...held.values()].map(({ localAddress }) => localAddress.port));
  assert.equal(ports.size, 256);
  assert.deepEqual(await extra.take(6, 1), []);
  extra.closeAll();
  assert.equal(await held.get(0)!.send(new Uint8Array(1), held.get(1)!.localAddress), false);
});

Deno.test("extraSocketOpener keeps to the address and family it is bound to", async () => {
  await assert.rejects(extraSocketOpener({ host: "127.0.0.1" })(6, 0), TransferError);
  for (
    const [options, family, host] of [
      [{ host: "::1" }, 6, "::1"],
      [{}, 4, "0.0.0.0"],
      [{}, 6, "::"],
    ] as const
  ) {
    const socket = await extraSocketOpener(options)(family, 0);
    assert.equal(socket.localAddress.host, host);
    socket.close();
  }
});
