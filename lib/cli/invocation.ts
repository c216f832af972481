/**
 * What a command line asks for, once it was understood. How it is read is in `arguments.ts`;
 * docs/cli.md lists the same commands and options for people.
 */
import type { BindOption } from "./option_values.ts";

/** When to use colour. */
export type ColorChoice = "auto" | "always" | "never";

/** What every command takes. */
export interface OutputArguments {
  /** One JSON object a line on standard output and nothing else. */
  readonly json: boolean;
  /** The code, questions, warnings and errors only. */
  readonly quiet: boolean;
  /** Files as they finish, and stack traces. */
  readonly verbose: boolean;
  readonly color: ColorChoice;
}

/** What commands that use the network take. */
export interface CommonArguments extends OutputArguments {
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

/** What is sent that is no path. */
export interface SendInput {
  /** `stream`: standard input. `text`: something to be read rather than stored. */
  readonly kind: "stream" | "text";
  /** Absent when it is read from standard input. */
  readonly text?: string;
  /** What it is called at the other side. */
  readonly name?: string;
}

/** What becomes of symbolic links. */
export type SymlinksChoice = "skip" | "follow" | "keep";

/** `p2pft send PATH…`, `p2pft send -` and `p2pft send --text TEXT` */
export interface SendInvocation extends TransferArguments {
  readonly command: "send";
  /** Empty when `input` is sent. */
  readonly paths: readonly string[];
  readonly input?: SendInput;
  /** Patterns of what is left out, in the syntax of `.gitignore`. */
  readonly exclude: readonly string[];
  /** Whether `.gitignore` files leave things out, too. */
  readonly gitignore: boolean;
  readonly symlinks: SymlinksChoice;
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
export type OverwriteChoice = "never" | "ask" | "rename" | "newer" | "always";

/** What becomes of links that are offered. */
export type ReceivedLinksChoice = "skip" | "keep";

/** `p2pft receive [CODE]` */
export interface ReceiveInvocation extends TransferArguments {
  readonly command: "receive";
  readonly code?: string;
  /** The current one when none was given. */
  readonly directory: string;
  /** Whether it was given: texts are then stored in it rather than shown. */
  readonly isDirectoryGiven: boolean;
  /** The one file that is offered goes to standard output, and nothing to a folder. */
  readonly toOutput: boolean;
  /** Absent when the person did not choose: ask where there is someone to ask, else never. */
  readonly overwrite?: OverwriteChoice;
  readonly symlinks: ReceivedLinksChoice;
  readonly allowDotfiles: boolean;
  /** Where a manifest of the files goes. */
  readonly manifest?: string;
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

/** `p2pft verify [PATH…] --manifest FILE` */
export interface VerifyInvocation extends OutputArguments {
  readonly command: "verify";
  /** None for the folder that the manifest lies in. */
  readonly paths: readonly string[];
  readonly manifest: string;
}

/** What `p2pft peers` is asked to do. Peers are given by name or by fingerprint. */
export type PeersAction =
  | { readonly kind: "list" }
  | { readonly kind: "rename"; readonly peer: string; readonly name: string }
  | { readonly kind: "remove"; readonly peer: string };

/** `p2pft peers list`, `p2pft peers rename PEER NAME` and `p2pft peers remove PEER` */
export interface PeersInvocation extends OutputArguments {
  readonly command: "peers";
  readonly action: PeersAction;
  /** The folder of identities, when it was given. */
  readonly home?: string;
}

/** A command to run. */
export type Invocation =
  | SendInvocation
  | ReceiveInvocation
  | DoctorInvocation
  | VerifyInvocation
  | PeersInvocation;
