/**
 * What a command line asks for, once it was understood. How it is read is in `arguments.ts`;
 * docs/cli.md lists the same commands and options for people.
 */
import type { BindOption } from "./option_values.ts";

/** When to use colour. */
export type ColorChoice = "auto" | "always" | "never";

/** What every command takes. */
export interface CommonArguments {
  /** One JSON object a line on standard output and nothing else. */
  readonly json: boolean;
  /** The code, questions, warnings and errors only. */
  readonly quiet: boolean;
  /** Files as they finish, and stack traces. */
  readonly verbose: boolean;
  readonly color: ColorChoice;
  readonly allowLoopback: boolean;
  readonly bind?: BindOption;
  readonly timeoutMs?: number;
  /** As `HOST[:PORT]`; empty for none, absent for the usual ones. */
  readonly stunServers?: readonly string[];
  /** Whether the router may be asked to open a port. */
  readonly portMapping: boolean;
}

/** What commands that move files take. */
export interface TransferArguments extends CommonArguments {
  /** Asks nothing. */
  readonly yes: boolean;
  readonly verify: boolean;
  /** Most bytes per second; of a receiver what it asks for. */
  readonly limit?: number;
  /** Yields to other traffic; a receiver asks for it. */
  readonly background: boolean;
}

/** Congestion control that can be chosen. */
export type CongestionChoice = "bbr" | "cubic";

/** `p2pft send PATH…` */
export interface SendInvocation extends TransferArguments {
  readonly command: "send";
  readonly paths: readonly string[];
  /** For the code, as `HOST[:PORT]`. */
  readonly addresses: readonly string[];
  /** Whether the machine's own addresses go into the code too. */
  readonly localAddresses: boolean;
  readonly qr: boolean;
  /** Lets in only clients whose reply code was pasted. */
  readonly private: boolean;
  /** Most bytes per second to one client. */
  readonly clientLimit?: number;
  /** Absent when the person did not choose. */
  readonly congestion?: CongestionChoice;
}

/** What to do with files that are here already and differ. */
export type OverwriteChoice = "never" | "ask" | "always";

/** `p2pft receive [CODE]` */
export interface ReceiveInvocation extends TransferArguments {
  readonly command: "receive";
  readonly code?: string;
  readonly directory: string;
  /** Absent when the person did not choose: ask where there is someone to ask, else never. */
  readonly overwrite?: OverwriteChoice;
  readonly allowDotfiles: boolean;
  /** Whether the other side is told this machine's own addresses. */
  readonly localAddresses: boolean;
  /** For the reply code. */
  readonly qr: boolean;
}

/** `p2pft doctor [CODE]` */
export interface DoctorInvocation extends CommonArguments {
  readonly command: "doctor";
  readonly code?: string;
}

/** A command to run. */
export type Invocation = SendInvocation | ReceiveInvocation | DoctorInvocation;
