/**
 * Every way an operation can end badly, in one table: the stable code, the number sent in CLOSE
 * (docs/protocol.md, "Error codes"), the exit status of the program, and what to do next.
 */

/** One row of {@linkcode ERRORS}. */
export interface ErrorRow {
  /** Number carried by a CLOSE frame; undefined for errors a peer is never told. */
  readonly wire?: number;
  /** Exit status of the program. */
  readonly exit: number;
  /** What the person can do next; one sentence without a full stop. */
  readonly hint: string;
}

/** All errors. Codes are stable across releases; hints may improve. */
export const ERRORS = {
  internal: {
    wire: 1,
    exit: 1,
    hint: "This is a bug in p2pft: please report it with the output of -v",
  },
  protocol_violation: {
    wire: 2,
    exit: 1,
    hint: "The other side sent something it never should: update p2pft on both sides",
  },
  limit_exceeded: {
    wire: 3,
    exit: 1,
    hint: "Share fewer or shorter-named files at once; docs/transfer.md lists the limits",
  },
  usage: { exit: 2, hint: "See p2pft --help" },
  bad_code: { exit: 3, hint: "Copy the code again, whole, from the other side's screen" },
  share_closed: { wire: 4, exit: 4, hint: "Ask the other side to start a new share" },
  refused: {
    wire: 5,
    exit: 5,
    hint: "One of the two people said no: agree first, then try again",
  },
  authentication_failed: {
    wire: 6,
    exit: 6,
    hint: "Compare the code with the other side over a channel you trust, then try again",
  },
  version_mismatch: { wire: 7, exit: 7, hint: "Update p2pft on the side with the older version" },
  disk_full: {
    wire: 8,
    exit: 8,
    hint: "Free some space and run the same command again: what has arrived is kept",
  },
  write_failed: { wire: 9, exit: 9, hint: "Check the target folder and its permissions" },
  read_failed: { wire: 10, exit: 10, hint: "Check that the files exist and can be read" },
  integrity: {
    wire: 11,
    exit: 11,
    hint: "Run the same command again; if it happens again, check memory and disk on both sides",
  },
  unsafe_name: {
    wire: 12,
    exit: 12,
    hint: "Those entries were not written; ask the sender to rename them",
  },
  some_kept: {
    exit: 13,
    hint: "The warnings above say why; --overwrite and --allow-dotfiles take more",
  },
  source_changed: {
    wire: 14,
    exit: 14,
    hint: "Run the same command again once the files are at rest",
  },
  no_network: { exit: 20, hint: "Check that this machine is connected" },
  socket_unavailable: {
    exit: 24,
    hint: "Run with --unstable-net, or pass allowSlowSocket to use the slow socket of node:dgram",
  },
  peer_unreachable: {
    exit: 21,
    hint: "Check that the other side still runs and that a firewall lets UDP through",
  },
  path_lost: {
    exit: 22,
    hint:
      "Run it again when the connection is back, with a new code if it changed: what has arrived is kept",
  },
  timed_out: { exit: 23, hint: "Start both sides again, or wait longer with --timeout" },
  permission_missing: { exit: 24, hint: "Run the command shown above" },
  interrupted: {
    wire: 13,
    exit: 130,
    hint: "Send it again, receive with the new code: what has arrived is kept",
  },
} as const satisfies Record<string, ErrorRow>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

/** CLOSE number of a transfer that ended as it should. */
export const WIRE_DONE = 0;

const byWire = new Map<number, ErrorCode>();
for (const [code, row] of Object.entries(ERRORS)) {
  if ("wire" in row) byWire.set(row.wire, code as ErrorCode);
}

/** [CLOSE-3] The code behind a CLOSE number; one that is not known here is a protocol violation. */
export function errorCodeOfWire(wire: number): ErrorCode {
  return byWire.get(wire) ?? "protocol_violation";
}

/** The CLOSE number of a code; a code that has none is reported as `internal`. */
export function wireOfErrorCode(code: ErrorCode): number {
  const row: ErrorRow = ERRORS[code];
  return row.wire ?? ERRORS.internal.wire;
}

/** Anything that ends an operation of this library, apart from wrong arguments. */
export class TransferError extends Error {
  /** Which error, for programs. */
  readonly code: ErrorCode;
  /** What to do next, for people. */
  readonly hint: string;

  /**
   * Makes an error to be told to people and programs.
   *
   * @param code Which row of {@linkcode ERRORS}.
   * @param message What was attempted and why it failed, in sentence case without a full stop.
   * @param options `cause`, and a `hint` that is better than the table's.
   */
  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = "TransferError";
    this.code = code;
    this.hint = options.hint ?? ERRORS[code].hint;
  }

  /** Exit status of the program for this error. */
  get exit(): number {
    return ERRORS[this.code].exit;
  }
}
