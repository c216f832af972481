/**
 * What the status line shows, as a pure function of the events so far. One operation, and of its
 * sessions the one that spoke last.
 */
import type { ProgressEvent, TransferEvent } from "../events.ts";

/** Which side we are. */
export type Role = "send" | "receive";

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
  /** A channel exists; what is to move is not settled. */
  | { readonly name: "connected" }
  /** What could move is known to both; the receiving side has not begun to ask for it. */
  | { readonly name: "offered" }
  /** Receiver: the other side's person has not said yes. */
  | { readonly name: "waiting_for_admission" }
  /** Bytes move. */
  | { readonly name: "moving"; readonly progress: ProgressEvent }
  /** The last event came. */
  | { readonly name: "over" };

/** The state behind the status line. */
export interface View {
  readonly role: Role;
  readonly phase: Phase;
}

/** The view before any event. */
export function initialView(role: Role): View {
  return { role, phase: { name: "starting" } };
}

/** The view after `event`. */
export function advanceView(view: View, event: TransferEvent): View {
  const phase = phaseAfter(view, event);
  return phase === view.phase ? view : { role: view.role, phase };
}

function phaseAfter(view: View, event: TransferEvent): Phase {
  switch (event.event) {
    case "code":
      // A new code of a share that may be busy says nothing of its clients.
      return event.changed === true ? view.phase : { name: "waiting_for_peer" };
    case "reply-code":
      return { name: "waiting_for_paste" };
    case "connecting":
      return { name: "connecting", addresses: event.addresses };
    case "connected":
      return { name: "connected" };
    case "offer":
      return { name: "offered" };
    case "waiting":
      return { name: event.reason === "reply" ? "waiting_for_paste" : "waiting_for_admission" };
    case "admission":
      return event.admitted ? { name: "connected" } : { name: "waiting_for_peer" };
    case "progress":
      // Nothing was asked for yet, or there is nothing to ask for.
      return event.itemsTotal === 0 ? view.phase : { name: "moving", progress: event };
    case "done":
      return { name: "over" };
    case "error":
      return event.fatal ? { name: "over" } : { name: "waiting_for_peer" };
    case "words":
    case "reply":
    case "network":
    case "path":
    case "path-lost":
    case "file-done":
    case "warning":
      return view.phase;
    default:
      return event satisfies never;
  }
}
