/**
 * Everything a command touches, handed to it: the library, the screen, the system's permissions.
 * `main.ts` fills it with the real ones.
 */
import type { DoctorOptions, DoctorReport } from "../doctor/doctor_report.ts";
import type {
  ClientReport,
  ReceiveOptions,
  ShareOptions,
  ShareSource,
  VerifyOptions,
} from "../options.ts";
import type { IdentityStore } from "../identity/identity_store.ts";
import type { announceOnLan, lanProblem, sharesOnLan } from "../local_network.ts";
import type { Clock } from "../transport/clock.ts";
import type { ConsoleStreams } from "./console_streams.ts";
import type { Installation } from "./installation.ts";
import type { LogFile } from "./log_file.ts";
import type { PermissionQuery } from "./permissions.ts";
import type { Operation } from "./run_operation.ts";
import type { Terminal } from "./terminal.ts";

/** A running share. */
export interface ShareOperation extends Operation {
  /** Takes a reply code; throws a `TransferError` for one that cannot be used. */
  addReply(code: string): void;
  /** Limits all clients together; throws a `TypeError` for what is no limit. */
  setLimit(bytesPerSecond: number | undefined): void;
  /** Everybody who is connected now. */
  readonly clients: readonly ClientReport[];
  /** Sends a client away for good; false when there is none of that number. */
  kick(session: number): boolean;
  /** Lets nobody new in, and ends when those who are in are done. */
  stopAdmitting(): void;
  /**
   * Remembers a client who showed who it is.
   *
   * @throws {TransferError} `usage` for a name that cannot be given, and what the book of peers throws.
   */
  remember(
    session: number,
    how: { readonly name?: string; readonly always?: boolean },
  ): Promise<Remembered>;
}

/** Who is remembered now. */
export interface Remembered {
  /** Names of others that could be taken for theirs. */
  readonly lookAlikes: readonly string[];
}

/** A running receive. */
export interface ReceiveOperation extends Operation {
  /** Gives something to the other side, too. */
  offer(source: ShareSource): void;
  /** Remembers the other side, which showed who it is; throws as for a client of a share. */
  remember(name?: string): Promise<Remembered>;
}

/** The local networks: `lib/local_network.ts`. */
export interface LocalNetwork {
  readonly lanProblem: typeof lanProblem;
  readonly announceOnLan: typeof announceOnLan;
  readonly sharesOnLan: typeof sharesOnLan;
}

/** The world around the program. */
export interface World {
  readonly streams: ConsoleStreams;
  readonly clock: Clock;
  /** The time of day: milliseconds since 1970. */
  readonly timeMs: () => number;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Calls `handle` whenever the terminal gets another size, until what it returns is called. */
  readonly onResize: (handle: () => void) => () => void;
  readonly installation: Installation;
  readonly permissions: PermissionQuery;
  /** A variable of the environment; undefined also where it may not be read. */
  readonly env: (name: string) => string | undefined;
  /** The person wants no colour anywhere (`NO_COLOR`). */
  readonly noColor: boolean;
  /** Whether `Deno.listenDatagram` is there. */
  readonly hasSocket: boolean;
  /** `send` of lib/share.ts, loaded when called. */
  readonly send: (source: ShareSource, options: ShareOptions) => Promise<ShareOperation>;
  /** `share` of lib/share.ts, loaded when called. */
  readonly share: (source: ShareSource, options: ShareOptions) => Promise<ShareOperation>;
  /** `receive` of lib/receive.ts, loaded when called. */
  readonly receive: (code: string, options: ReceiveOptions) => Promise<ReceiveOperation>;
  /** `doctor` of lib/doctor.ts, loaded when called. */
  readonly doctor: (code: string | undefined, options: DoctorOptions) => Promise<DoctorReport>;
  /** `verify` of lib/verify.ts, loaded when called. */
  readonly verify: (paths: readonly string[], options: VerifyOptions) => Promise<Operation>;
  /** Announces and finds shares on local networks; loaded when called. */
  readonly localNetwork: () => Promise<LocalNetwork>;
  /** Where identities are kept, unless another folder was given; undefined when nothing says so. */
  readonly identityFolder: (given: string | undefined) => string | undefined;
  /** `openLogFile` of `log_file.ts`, loaded when called. */
  readonly openLog: (path: string, replacesIn?: string) => Promise<LogFile>;
  /** `openIdentities` of lib/identities.ts, loaded when called. */
  readonly openIdentities: (folder: string) => Promise<IdentityStore>;
}

/** The world and the screen of one command. */
export interface CommandContext extends World {
  readonly terminal: Terminal;
}
