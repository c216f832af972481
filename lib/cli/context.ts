/**
 * Everything a command touches, handed to it: the library, the screen, the system's permissions.
 * `main.ts` fills it with the real ones.
 */
import type { DoctorOptions, DoctorReport } from "../doctor_report.ts";
import type { ReceiveOptions, ShareOptions, ShareSource, VerifyOptions } from "../options.ts";
import type { IdentityStore } from "../identity/identity_store.ts";
import type { Clock } from "../transport/clock.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import type { Installation } from "./installation.ts";
import type { PermissionQuery } from "./permissions.ts";
import type { Operation } from "./run_operation.ts";
import type { Terminal } from "./terminal.ts";

/** A running share. */
export interface ShareOperation extends Operation {
  /** Takes a reply code; throws a `TransferError` for one that cannot be used. */
  addReply(code: string): void;
}

/** The world around the program. */
export interface World {
  readonly streams: ConsoleStreams;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly installation: Installation;
  readonly permissions: PermissionQuery;
  /** A variable of the environment; undefined also where it may not be read. */
  readonly env: (name: string) => string | undefined;
  /** The person wants no colour anywhere (`NO_COLOR`). */
  readonly noColor: boolean;
  /** Whether `Deno.listenDatagram` is there. */
  readonly hasSocket: boolean;
  /** `share` of lib/share.ts, loaded when called. */
  readonly share: (source: ShareSource, options: ShareOptions) => Promise<ShareOperation>;
  /** `receive` of lib/receive.ts, loaded when called. */
  readonly receive: (code: string, options: ReceiveOptions) => Promise<Operation>;
  /** `doctor` of lib/doctor.ts, loaded when called. */
  readonly doctor: (code: string | undefined, options: DoctorOptions) => Promise<DoctorReport>;
  /** `verify` of lib/verify.ts, loaded when called. */
  readonly verify: (paths: readonly string[], options: VerifyOptions) => Promise<Operation>;
  /** Where identities are kept, unless another folder was given; undefined when nothing says so. */
  readonly identityFolder: (given: string | undefined) => string | undefined;
  /** `openIdentities` of lib/identities.ts, loaded when called. */
  readonly openIdentities: (folder: string) => Promise<IdentityStore>;
}

/** The world and the screen of one command. */
export interface CommandContext extends World {
  readonly terminal: Terminal;
}
