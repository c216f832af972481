/**
 * What the status line shows, as a pure function of the events so far. One operation, and of its
 * sessions the one that spoke last.
 */
import type { ProgressEvent, TransferEvent } from "../events.ts";

/** Which side we are; of `verify` there is only one. */
export type Role = "send" | "receive" | "verify";

/** Where the operation stands. */
export type Phase =
  /** Nothing was heard of it yet. */
  | { readonly name: "starting" }
  /** Sender: the code is out, nobody has come. */
  | { readonly name: "waiting_for_peer" }
  /** Receiver: trying the addresses of the code. */
  | { readonly name: "connecting"; readonly addresses: readonly string[] }
  /** Receiver: the reply code is to be pasted on the other side. */
  | { readonly name: "waiting_for_paste" }
  /** Sender of a private share: a client is here whose reply code was not pasted. */
  | { readonly name: "waiting_for_reply" }
  /** A channel exists; what is to move is not settled. */
  | { readonly name: "connected" }
  /** What could move is known to both; the receiving side has not begun to ask for it. */
  | { readonly name: "offered" }
  /** Receiver: the other side's person has not said yes. */
  | { readonly name: "waiting_for_admission" }
  /** Bytes move, or would: while nothing is heard of the other side another way is looked for. */
  | { readonly name: "moving"; readonly progress: ProgressEvent; readonly isSilent?: true }
  /** The last event came. */
  | { readonly name: "over" };

/** The state behind the status line. */
export interface View {
  readonly role: Role;
  readonly phase: Phase;
  /** Sender: lets in only clients whose reply code was pasted. */
  readonly isPrivate: boolean;
  /** Sender: a reply code was taken, and its client is not here yet. */
  readonly expectsClient: boolean;
}

/** The view before any event. */
export function initialView(role: Role, options: { readonly isPrivate?: boolean } = {}): View {
  const { isPrivate = false } = options;
  return { role, phase: { name: "starting" }, isPrivate, expectsClient: false };
}

/** The view after `event`. */
export function advanceView(view: View, event: TransferEvent): View {
  const phase = isOfOther(view, event) ? view.phase : phaseAfter(view, event);
  const expectsClient = event.event === "reply" ||
    (view.expectsClient && event.event !== "connected");
  return phase === view.phase && expectsClient === view.expectsClient
    ? view
    : { ...view, phase, expectsClient };
}

/** Whether it is about a client that waits while another one is served. */
function isOfOther({ phase }: View, event: TransferEvent): boolean {
  if (phase.name !== "moving" || event.event === "progress") return false;
  if (event.event === "done" || (event.event === "error" && event.fatal)) return false;
  if (event.event === "connected" && event.resumes === phase.progress.session) return false;
  return "session" in event && event.session !== phase.progress.session;
}

function phaseAfter(view: View, event: TransferEvent): Phase {
  const { phase } = view;
  switch (event.event) {
    case "code":
      // A new code of a share that may be busy says nothing of its clients.
      return event.changed === true ? phase : { name: "waiting_for_peer" };
    case "reply-code":
      return { name: "waiting_for_paste" };
    case "connecting":
    case "reconnecting":
      return { name: "connecting", addresses: event.addresses };
    case "connected": {
      const isKnown = !view.isPrivate || view.expectsClient || event.resumes !== undefined;
      return { name: isKnown ? "connected" : "waiting_for_reply" };
    }
    case "offer":
      return { name: "offered" };
    case "waiting":
      return { name: event.reason === "reply" ? "waiting_for_paste" : "waiting_for_admission" };
    case "admission":
      return event.admitted ? { name: "connected" } : { name: "waiting_for_peer" };
    case "progress":
      // Nothing was asked for yet, or there is nothing to ask for.
      if (event.itemsTotal === 0) return phase;
      return phase.name === "moving" && phase.progress.session === event.session
        ? { ...phase, progress: event }
        : { name: "moving", progress: event };
    case "path-lost":
      return phase.name === "moving" ? { ...phase, isSilent: true } : phase;
    case "path":
      return phase.name === "moving" && phase.isSilent
        ? { name: "moving", progress: phase.progress }
        : phase;
    case "done":
    case "verified":
      return { name: "over" };
    case "error":
      return event.fatal ? { name: "over" } : { name: "waiting_for_peer" };
    case "words":
    case "reply":
    case "network":
    case "file-done":
    case "resumed":
    case "text":
    case "manifest":
    case "warning":
      return phase;
    default:
      return event satisfies never;
  }
}
