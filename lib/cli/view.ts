/**
 * What the status line shows, as a pure function of the events so far. One operation, and of its
 * sessions the one that spoke last; many at once are in `clients_view.ts`.
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
  /**
   * Bytes move, or would: while nothing is heard of the other side another way is looked for. `other`
   * is what moves the other way at the same time.
   */
  | {
    readonly name: "moving";
    readonly progress: ProgressEvent;
    readonly other?: ProgressEvent;
    readonly isSilent?: true;
  }
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
  /** Which ways something is offered or moves, and is not done. */
  readonly open: readonly Way[];
  /** Which ways are done; what is still told of their progress opens nothing. */
  readonly done: readonly Way[];
}

/** From the sharer to the client, or back. */
export type Way = "forth" | "back";

/** Which way an event is about. */
export function wayOf({ back }: { readonly back?: true }): Way {
  return back ? "back" : "forth";
}

/** Whether this side gives or takes what goes a way. */
export function directionOf(role: Role, way: Way): Role {
  if (way === "forth" || role === "verify") return role;
  return role === "send" ? "receive" : "send";
}

/** The view before any event. */
export function initialView(role: Role, options: { readonly isPrivate?: boolean } = {}): View {
  const { isPrivate = false } = options;
  return { role, phase: { name: "starting" }, isPrivate, expectsClient: false, open: [], done: [] };
}

/** The view after `event`. */
export function advanceView(view: View, event: TransferEvent): View {
  if (isOfOther(view, event)) return withExpected(view, event);
  if (event.event === "progress" && view.done.includes(wayOf(event))) return view;
  const open = openAfter(view.open, event);
  const done = doneAfter(view.done, event);
  const phase = phaseAfter({ ...view, open }, event);
  const next = withExpected(view, event);
  const isSame = phase === view.phase && open === view.open && done === view.done;
  return isSame ? next : { ...next, phase, open, done };
}

function withExpected(view: View, event: TransferEvent): View {
  const expectsClient = event.event === "reply" ||
    (view.expectsClient && event.event !== "connected");
  return expectsClient === view.expectsClient ? view : { ...view, expectsClient };
}

function openAfter(open: readonly Way[], event: TransferEvent): readonly Way[] {
  switch (event.event) {
    case "connected":
      return open.length === 0 ? open : [];
    case "offer":
    case "progress": {
      // A drop box offers nothing, and a share that nobody takes from has nothing to do.
      const isNothing = event.event === "offer" ? event.items === 0 : event.itemsTotal === 0;
      return isNothing || open.includes(wayOf(event)) ? open : [...open, wayOf(event)];
    }
    case "done":
    case "error":
      return open.includes(wayOf(event)) ? open.filter((way) => way !== wayOf(event)) : open;
    default:
      return open;
  }
}

function doneAfter(done: readonly Way[], event: TransferEvent): readonly Way[] {
  switch (event.event) {
    case "connected":
      return done.length === 0 ? done : [];
    case "offer":
      return done.includes(wayOf(event)) ? done.filter((way) => way !== wayOf(event)) : done;
    case "done":
      return done.includes(wayOf(event)) ? done : [...done, wayOf(event)];
    default:
      return done;
  }
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
      return phase.name === "moving" || event.items === 0 ? phase : { name: "offered" };
    case "waiting":
      return { name: event.reason === "reply" ? "waiting_for_paste" : "waiting_for_admission" };
    case "admission":
      return event.admitted ? { name: "connected" } : { name: "waiting_for_peer" };
    case "progress":
      // Nothing was asked for yet, or there is nothing to ask for.
      if (event.itemsTotal === 0) return phase;
      if (phase.name !== "moving" || phase.progress.session !== event.session) {
        return { name: "moving", progress: event };
      }
      return phase.progress.back === event.back
        ? { ...phase, progress: event }
        : { ...phase, other: event };
    case "path-lost":
      return phase.name === "moving" ? { ...phase, isSilent: true } : phase;
    case "path":
      return phase.name === "moving" && phase.isSilent ? heard(phase) : phase;
    case "done":
      return view.open.length === 0 ? { name: "over" } : remaining(phase, wayOf(event));
    case "verified":
    case "closed":
      return { name: "over" };
    case "error":
      if (event.fatal) return { name: "over" };
      return event.back && view.open.length > 0
        ? remaining(phase, "back")
        : { name: "waiting_for_peer" };
    case "words":
    case "identity":
    case "kicked":
    case "closing":
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

/** What is left of it when one way is done. */
function remaining(phase: Phase, done: Way): Phase {
  if (phase.name !== "moving") return phase;
  const { progress, other, ...rest } = phase;
  if (wayOf(progress) !== done) return { ...rest, progress };
  return other === undefined ? { name: "offered" } : { ...rest, progress: other };
}

function heard({ isSilent: _, ...phase }: Phase & { readonly name: "moving" }): Phase {
  return phase;
}
