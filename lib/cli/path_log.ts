/**
 * What was said of the path of each session, so that nothing is said twice: the line for a change,
 * given what went before it. Pure.
 */
import type { ConnectedEvent, PathEvent, PathLostEvent } from "../events.ts";
import { firstPathLine, pathLine, pathLostLine } from "./path_messages.ts";

/** Sessions that are known: of those that began before so many others nothing more is told. */
const MAX_SESSIONS = 1024;

/** Where a session stands. */
interface SessionPath {
  readonly address: string;
  state: "no_path" | "path" | "lost";
}

/** The paths of all sessions. */
export class PathLog {
  readonly #sessions = new Map<number, SessionPath>();

  /** A session begins; its line is `connectedLine`. */
  begin(event: ConnectedEvent): void {
    this.#sessions.set(event.session, { address: event.address, state: "no_path" });
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS) this.#sessions.delete(oldest!);
  }

  /** The session is over. */
  end(session: number): void {
    this.#sessions.delete(session);
  }

  /** Where the other side was when the session began; undefined for one that is not known. */
  addressOf(session: number): string | undefined {
    return this.#sessions.get(session)?.address;
  }

  /**
   * The line for a path that is used from now on.
   *
   * @param isDetailed Whether to name the other side's address where it is not what is new.
   * @returns Undefined when there is nothing new in it.
   */
  handlePath(event: PathEvent, isDetailed: boolean): string | undefined {
    const session = this.#sessions.get(event.session);
    const before = session?.state ?? "path";
    if (session !== undefined) session.state = "path";
    if (before === "no_path") return firstPathLine(event);
    const isBack = before === "lost";
    return pathLine(event, { isBack, hasAddress: isDetailed || !isBack });
  }

  /** The line for a silence. */
  handleLost(event: PathLostEvent): string {
    const session = this.#sessions.get(event.session);
    if (session !== undefined) session.state = "lost";
    return pathLostLine(event);
  }
}
