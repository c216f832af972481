/**
 * What a command line asks for, once it was understood. How it is read is in
 * `arguments.ts`;
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

/** What is sent, and what of it is left out. */
export interface SourceArguments {
  /** Empty when `input` is sent, or nothing. */
  readonly paths: readonly string[];
  readonly input?: SendInput;
  /** Patterns of what is left out, in the syntax of `.gitignore`. */
  readonly exclude: readonly string[];
  /** Whether `.gitignore` files leave things out, too. */
  readonly gitignore: boolean;
  readonly symlinks: SymlinksChoice;
}

/** Who one is, and where that is kept. */
export interface IdentityArguments {
  /** Proves who this is. */
  readonly identity: boolean;
  /** The folder of identities, when it was given. */
  readonly home?: string;
}

/** What to do with what is given while something else is in its place. */
export type TakeOverwriteChoice = "never" | "rename" | "newer" | "always";

/** How what clients give is taken. */
export interface TakeArguments {
  /** The folder to write into. */
  readonly directory: string;
  readonly overwrite: TakeOverwriteChoice;
  /** Takes names that begin with a dot without a question. */
  readonly allowDotfiles: boolean;
}

/** What those take that make a code. */
export interface SharingArguments extends TransferArguments, IdentityArguments {
  /** For the code, as `HOST[:PORT]`. */
  readonly addresses: readonly string[];
  /** Whether the machine's own addresses go into the code too. */
  readonly localAddresses: boolean;
  readonly qr: boolean;
  /** Lets in only clients whose reply code was pasted, and `allow`. */
  readonly private: boolean;
  /** Names of peers, or fingerprints, who are let in without a question. */
  readonly allow: readonly string[];
  /** The one peer for whom the code is. */
  readonly forPeer?: string;
  /** Announces it on the local network; without a name the person is asked for one. */
  readonly lan?: { readonly name?: string };
  /** Absent when nothing is taken. */
  readonly take?: TakeArguments;
  /** Where it is written who took what. */
  readonly log?: string;
  /** Most bytes per second to one client. */
  readonly clientLimit?: number;
  /** Absent when the person did not choose. */
  readonly congestion?: CongestionChoice;
  /** Clients at the same time. */
  readonly maxClients?: number;
  /** How many may take it. */
  readonly readLimit?: number;
  /** For how long somebody new is let in. */
  readonly expiresMs?: number;
}

/** `p2pft send PATH…`, `p2pft send -`, `p2pft send --text TEXT`, the same of `share`; `p2pft wait` */
export interface ShareInvocation extends SharingArguments, SourceArguments {
  /** `send` is for one client; `wait` shares nothing and takes. */
  readonly command: "send" | "share" | "wait";
}

/** `p2pft send PATH… --to [CODE]` */
export interface GiveInvocation extends TransferArguments, IdentityArguments, SourceArguments {
  readonly command: "give";
  readonly code?: string;
  /** The peer whose code it must be. */
  readonly forPeer?: string;
  /** Whether the other side is told this machine's own addresses. */
  readonly localAddresses: boolean;
  /** For the reply code. */
  readonly qr: boolean;
}

/** What to do with files that are here already and differ. */
export type OverwriteChoice = "never" | "ask" | "rename" | "newer" | "always";

/** What becomes of links that are offered. */
export type ReceivedLinksChoice = "skip" | "keep";

/** `p2pft receive [CODE]` */
export interface ReceiveInvocation extends TransferArguments, IdentityArguments {
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
  /** Paths that are given to the other side. */
  readonly offer: readonly string[];
  /** The peer whose code it must be. */
  readonly fromPeer?: string;
  /** What the other side is called from now on. */
  readonly remember?: string;
  /** Takes a share of the local network: that of this name, or one that the person chooses. */
  readonly lan?: { readonly name?: string };
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
  /** This person's own identity, made when there is none and `create` is set. */
  | { readonly kind: "me"; readonly create: boolean }
  /** The key as `peers me` prints it. */
  | { readonly kind: "add"; readonly name: string; readonly key: string }
  | { readonly kind: "rename"; readonly peer: string; readonly name: string }
  | { readonly kind: "remove"; readonly peer: string };

/** `p2pft peers list | me | add NAME KEY | rename PEER NAME | remove PEER` */
export interface PeersInvocation extends OutputArguments {
  readonly command: "peers";
  readonly action: PeersAction;
  /** The folder of identities, when it was given. */
  readonly home?: string;
}

/** A command to run. */
export type Invocation =
  | ShareInvocation
  | GiveInvocation
  | ReceiveInvocation
  | DoctorInvocation
  | VerifyInvocation
  | PeersInvocation;
