/**
 * What the status shows of a share of many clients, as a pure function of the events so far: each of
 * those who are connected, with a view of its own (`view.ts`), and what there is in all.
 */
import type { TransferEvent } from "../events.ts";
import { advanceView, initialView, type View } from "./view.ts";

/** One client that is connected. */
export interface ClientView {
  /** Counts from 1. */
  readonly session: number;
  /** Its `host:port`. */
  readonly address: string;
  /** What it is called here, once it has proved who it is. */
  readonly name?: string;
  /** How far its admission is; `place` and `reply` are what it waits for. */
  readonly admission: "asks" | "place" | "reply" | "in";
  /** What it does. */
  readonly view: View;
}

/** The state behind the status of a share. */
export interface ClientsView {
  /** While nobody is connected. */
  readonly idle: View;
  /** In the order they came. */
  readonly clients: readonly ClientView[];
  /** How many are done. */
  readonly servedCount: number;
  readonly isOver: boolean;
}

/** The view before any event. */
export function initialClients(options: { readonly isPrivate?: boolean } = {}): ClientsView {
  return { idle: initialView("send", options), clients: [], servedCount: 0, isOver: false };
}

/** The view after `event`. */
export function advanceClients(view: ClientsView, event: TransferEvent): ClientsView {
  switch (event.event) {
    case "code":
    case "reply":
      return { ...view, idle: advanceView(view.idle, event) };
    case "connected":
      return withConnected(view, event);
    case "closed":
    case "verified":
      return { ...view, clients: [], isOver: true };
    case "error":
      if (event.fatal) return { ...view, clients: [], isOver: true };
      break;
  }
  if (!("session" in event) || event.session === undefined) return view;
  const index = view.clients.findIndex(({ session }) => session === event.session);
  if (index < 0) return view;
  const client = view.clients[index]!;
  const next = advanceClient(client, event);
  if (next === client) return view;
  if (next === undefined) {
    const clients = view.clients.toSpliced(index, 1);
    const isServed = event.event === "done";
    return { ...view, clients, servedCount: view.servedCount + (isServed ? 1 : 0) };
  }
  return { ...view, clients: view.clients.with(index, next) };
}

function withConnected(
  view: ClientsView,
  event: TransferEvent & { readonly event: "connected" },
): ClientsView {
  const { session, address, resumes } = event;
  const earlier = view.clients.find((client) => client.session === resumes);
  const own = advanceView(view.idle, event);
  const client: ClientView = {
    session,
    address,
    ...(earlier?.name === undefined ? {} : { name: earlier.name }),
    admission: own.phase.name === "waiting_for_reply" ? "reply" : "asks",
    view: own,
  };
  const others = view.clients.filter((other) => other.session !== resumes);
  // Once all of them are gone it waits for the next as it did before.
  const idle = { ...own, phase: view.idle.phase };
  return { ...view, idle, clients: [...others, client] };
}

/** Undefined when it is gone. */
function advanceClient(client: ClientView, event: TransferEvent): ClientView | undefined {
  switch (event.event) {
    case "identity":
      return event.name === undefined ? client : { ...client, name: event.name };
    case "warning":
      return event.code === "waits_for_place" ? { ...client, admission: "place" } : client;
    case "kicked":
      return undefined;
    case "admission":
      return event.admitted ? { ...client, admission: "in" } : undefined;
    case "error":
      if (event.back !== true) return undefined;
      break;
  }
  const view = advanceView(client.view, event);
  if (view.phase.name === "over") return undefined;
  // What it gives ended badly, and there is nothing else: so it is at a drop box.
  if (event.event === "error" && view.open.length === 0) return undefined;
  // What it is offered says that it was let in, where nobody is asked.
  const isIn = event.event === "offer" || event.event === "progress";
  if (view === client.view && !(isIn && client.admission !== "in")) return client;
  return { ...client, view, admission: isIn ? "in" : client.admission };
}
