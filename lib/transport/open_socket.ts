/**
 * Chooses the UDP adapter and turns what can go wrong while binding into errors made for people.
 */
import { TransferError } from "../errors.ts";
import type { BindAddress } from "./bind_address.ts";
import { DenoSocket, type DenoSocketOptions } from "./deno_socket.ts";
import { isOffloadSound } from "./offload_check.ts";
import type { DatagramSocket } from "./socket.ts";
import { systemErrorCode } from "./system_error.ts";

/** What {@linkcode openSocket} takes. */
export interface OpenSocketOptions extends BindAddress, DenoSocketOptions {
  /** Take `node:dgram` where `Deno.listenDatagram` is missing (default false). */
  readonly allowSlowSocket?: boolean;
  /**
   * Larger buffers, and trains of datagrams cut and joined by the system, where both can be had
   * (default false). For owners that can tell joined datagrams apart.
   */
  readonly accelerate?: boolean;
}

/** True where `Deno.listenDatagram` exists: inside Deno, with `--unstable-net`. */
function isFastSocketAvailable(): boolean {
  return typeof Deno.listenDatagram === "function";
}

/**
 * Binds a UDP socket.
 *
 * @throws {TransferError} `permission_missing` when binding is not granted (nobody is prompted),
 * `socket_unavailable` without `--unstable-net` unless `allowSlowSocket`, `usage` when the address
 * or port asked for cannot be had, `no_network` when the system has no such network at all.
 */
export async function openSocket(options: OpenSocketOptions): Promise<DatagramSocket> {
  const { family, host, port, allowSlowSocket = false } = options;
  const shown = family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  if (!isFastSocketAvailable() && !allowSlowSocket) {
    throw new TransferError(
      "socket_unavailable",
      "Cannot open a UDP socket: Deno.listenDatagram is missing without --unstable-net",
    );
  }
  if (Deno.permissions.querySync({ name: "net", host: shown }).state !== "granted") {
    throw permissionMissing(shown);
  }
  try {
    if (isFastSocketAvailable()) {
      const socket = new DenoSocket({ family, host, port }, options);
      if (options.accelerate && socket.enlargeBuffers() && await isOffloadSound(family)) {
        socket.joinDatagrams();
      }
      return socket;
    }
    // Loaded only when needed: most programs never touch the slow socket.
    const { NodeSocket } = await import("./node_socket.ts");
    return await NodeSocket.open({ family, host, port });
  } catch (error) {
    throw bindError(error, shown);
  }
}

function permissionMissing(shown: string, cause?: unknown): TransferError {
  return new TransferError(
    "permission_missing",
    `Cannot bind UDP socket ${shown}: net permission is missing, grant it with --allow-net`,
    { cause, hint: "Run again with --allow-net" },
  );
}

function bindError(error: unknown, shown: string): unknown {
  if (error instanceof Deno.errors.NotCapable) return permissionMissing(shown, error);
  switch (systemErrorCode(error)) {
    case "EADDRINUSE":
      return new TransferError("usage", `Cannot bind UDP socket ${shown}: the port is in use`, {
        cause: error,
        hint: "Choose another port with --bind, or leave it out for any free one",
      });
    case "EACCES":
    case "EPERM":
      return new TransferError("usage", `Cannot bind UDP socket ${shown}: the system forbids it`, {
        cause: error,
        hint: "Choose a port above 1023 with --bind, or leave it out for any free one",
      });
    case "EADDRNOTAVAIL":
      return new TransferError(
        "usage",
        `Cannot bind UDP socket ${shown}: this machine has no such address`,
        { cause: error, hint: "Choose one of this machine's addresses with --bind" },
      );
    case "EAFNOSUPPORT":
      return new TransferError(
        "no_network",
        `Cannot bind UDP socket ${shown}: this machine has no such network`,
        { cause: error },
      );
    case undefined:
      return error;
    default:
      return new TransferError("no_network", `Cannot bind UDP socket ${shown}`, { cause: error });
  }
}
