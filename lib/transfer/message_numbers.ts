/** Numbers of messages on the wire, and of what is in them (docs/transfer.md, "Messages"). */
import type { Message, PendingReason, RootStatus } from "./messages.ts";

/** Numbers of the messages on the wire. */
const TYPE_NUMBERS = {
  hello: 0x01,
  verify_commit: 0x02,
  verify_nonce: 0x03,
  pending: 0x04,
  offer: 0x05,
  list: 0x06,
  entries: 0x07,
  get: 0x08,
  nodes: 0x09,
  root: 0x0a,
  cancel: 0x0b,
  receipt: 0x0c,
  bye: 0x0d,
  check: 0x0e,
  identity: 0x0f,
  decline: 0x10,
} as const satisfies Record<Message["type"], number>;

const TYPE_NAMES: (Message["type"] | undefined)[] = [];
for (const [name, number] of Object.entries(TYPE_NUMBERS)) {
  TYPE_NAMES[number] = name as Message["type"];
}

/** The index is the number in ROOT. */
export const ROOT_STATUSES: readonly RootStatus[] = [
  "whole",
  "ranges",
  "changed",
  "unreadable",
  "cancelled",
  "hashed",
];

/** The index is the number in PENDING. */
export const PENDING_REASONS: readonly PendingReason[] = ["admission", "reply"];

/** The type byte of a message. */
export function messageTypeNumber(type: Message["type"]): number {
  return TYPE_NUMBERS[type];
}

/** The message of a type byte; undefined for one that this version does not know. */
export function messageTypeName(typeNumber: number): Message["type"] | undefined {
  return TYPE_NAMES[typeNumber];
}

/** Whether a type this version does not know may be skipped: 0x40 to 0x7f [XFER-2]. */
export function isIgnorableType(typeNumber: number): boolean {
  return typeNumber >= 0x40 && typeNumber <= 0x7f;
}

/** Whether a root follows a status. */
export function hasRoot(status: RootStatus): boolean {
  return status === "whole" || status === "hashed";
}

/** Whether the number of bytes that were sent follows a status. */
export function hasSentBytes(status: RootStatus): boolean {
  return status !== "ranges" && status !== "hashed";
}
