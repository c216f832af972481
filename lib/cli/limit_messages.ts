/** What limits a transfer, in words. Nothing is said of what is as it should be. */
import type { LimitReport } from "../events.ts";
import { formatExactRate } from "./format.ts";

/** The line for a report; undefined when there is nothing worth a word, or nothing known yet. */
export function limitLine(report: Partial<LimitReport>): string | undefined {
  const { limitedBy, lostShare = 0, limitBytesPerSecond = 0 } = report;
  switch (limitedBy) {
    case undefined:
    case "line":
      return undefined;
    case "loss":
      return `Slow: the line loses ${Math.max(1, Math.round(lostShare * 100))} % of packets`;
    case "limit":
      return `Limited by --limit ${formatExactRate(limitBytesPerSecond)}`;
    case "peer-limit":
      return `Limited by the other side's --limit ${formatExactRate(limitBytesPerSecond)}`;
    case "disk":
      return "Slow: waiting for this computer's disk";
    case "peer-disk":
      return "Slow: waiting for the other side's disk";
    case "processor":
      return "This computer's processor is the limit";
    case "peer-processor":
      return "The other side's processor is the limit";
    case "peer":
      return "Waiting for the other side";
    default:
      return limitedBy satisfies never;
  }
}

/** The same in a few columns, to stand behind a rate; undefined when there is nothing to say. */
export function shortLimit(report: Partial<LimitReport>): string | undefined {
  const { limitedBy, lostShare = 0 } = report;
  switch (limitedBy) {
    case undefined:
    case "line":
      return undefined;
    case "loss":
      return `loses ${Math.max(1, Math.round(lostShare * 100))} %`;
    case "limit":
      return "--limit";
    case "peer-limit":
      return "their --limit";
    case "disk":
      return "disk here";
    case "peer-disk":
      return "disk there";
    case "processor":
      return "processor here";
    case "peer-processor":
      return "processor there";
    case "peer":
      return "asks for no more";
    default:
      return limitedBy satisfies never;
  }
}
