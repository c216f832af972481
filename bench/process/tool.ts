/** What a tool is that moves files from one host to the other, and what is asked of it. */
import type { Place } from "./place.ts";
import { findProgram } from "./program.ts";
import type { ProcessUsage } from "./process_usage.ts";

/** One transfer. */
export interface Job {
  readonly place: Place;
  /** What to send: a file, or a folder of files, named `data`. */
  readonly source: string;
  readonly isFolder: boolean;
  readonly bytes: number;
  /** An empty folder in which `data` shall appear. */
  readonly target: string;
  /** An empty folder for keys and whatever else the tool needs. */
  readonly scratch: string;
  /** How long it may take. */
  readonly limitMs: number;
  /** Where our program writes a profile of each side, when it should. */
  readonly profileFolder?: string;
  /** Called when the clock starts: the sending side waits, the other is about to be started. */
  readonly onStart: () => void;
}

/** How it went. */
export interface ToolRun {
  /** Whether all was done within the limit. */
  readonly isDone: boolean;
  /** From just before the receiving side's program is started to its end, or to the limit. */
  readonly wallMs: number;
  /** How much of that passed before it was connected, where it tells. */
  readonly connectedAfterMs?: number;
  readonly sender?: ProcessUsage;
  readonly receiver?: ProcessUsage;
  /** Datagrams towards the receiver, where our own emulator counted them. */
  readonly datagrams?: number;
}

/** A way to move files. */
export interface Tool {
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** What is on the wire; with `none` it stays within one host. */
  readonly carrier: "udp" | "tcp" | "none";
  /** Of the kernel's TCP, when it is not the kernel's default. */
  readonly congestionControl?: string;
  /** Whether random loss leaves it some speed; it tells how long a run may take. */
  readonly bearsLoss: boolean;
  /** Whether it is this program. */
  readonly isOurs?: true;
  /** Whether it moves no file, but shows what the path can do. */
  readonly isCeiling?: true;
  /** Whether it can send many files at once. */
  readonly takesFolders: boolean;
  /** Why it cannot run here; undefined when it can. */
  readonly missing: () => string | undefined;
  /** Its version, for the report. */
  readonly version: () => Promise<string>;
  readonly transfer: (job: Job) => Promise<ToolRun>;
}

/** Why something cannot run that needs these programs. */
export function missingPrograms(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `not installed: ${missing.join(", ")}`;
}

/** The same TCP tool over another congestion control of the kernel. */
export function overCongestionControl(tool: Tool, name: string): Tool {
  return {
    ...tool,
    name: `${tool.name}-${name}`,
    title: `${tool.title}, kernel's ${name.toUpperCase()}`,
    congestionControl: name,
    bearsLoss: name === "bbr",
  };
}
