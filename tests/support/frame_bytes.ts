/**
 * Frames written and read by hand, straight from the table in docs/protocol.md and apart from
 * `lib/protocol/frame.ts`: so that tests can send what that never would, and see what it sends.
 */
import { concatBytes } from "../../lib/bytes/concat.ts";
import { ByteReader, varintLength, writeVarint } from "../../lib/bytes/varint.ts";

/** One varint. */
export function varint(value: number): Uint8Array {
  const out = new Uint8Array(varintLength(value));
  writeVarint(value, out, 0);
  return out;
}

/** A frame of a type and parts of its body: numbers become varints, bytes stay as they are. */
export function frame(type: number, ...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const body = parts.map((part) => typeof part === "number" ? varint(part) : part);
  return concatBytes(new Uint8Array([type]), ...body);
}

/** `count` bytes of PADDING. */
export const padding = (count = 1): Uint8Array => new Uint8Array(count);
/** PING. */
export const ping = (): Uint8Array => frame(0x01);
/** ACK_NOW. */
export const ackNow = (): Uint8Array => frame(0x0b);

/** ACK of ranges `[smallest, largest]`, newest first. */
export function ack(ranges: readonly (readonly [number, number])[], delayUnits = 0): Uint8Array {
  const [newest, ...older] = ranges as [
    readonly [number, number],
    ...(readonly [number, number])[],
  ];
  let below = newest[0];
  const rest = older.flatMap(([smallest, largest]) => {
    const gap = below - largest - 2;
    below = smallest;
    return [gap, largest - smallest];
  });
  return frame(0x02, newest[1], delayUnits, older.length, newest[1] - newest[0], ...rest);
}

/** CONTROL. */
export const control = (offset: number, bytes: Uint8Array): Uint8Array =>
  frame(0x03, offset, bytes.length, bytes);
/** BLOCK. */
export const block = (request: number, offset: number, bytes: Uint8Array): Uint8Array =>
  frame(0x04, request, offset, bytes.length, bytes);
/** CREDIT. */
export const credit = (blockLimit: number, controlLimit: number): Uint8Array =>
  frame(0x05, blockLimit, controlLimit);
/** PATH_CHALLENGE; 8 bytes. */
export const pathChallenge = (data: Uint8Array): Uint8Array => frame(0x06, data);
/** PATH_RESPONSE; 8 bytes. */
export const pathResponse = (data: Uint8Array): Uint8Array => frame(0x07, data);
/** CANDIDATES; the list as `lib/nat/candidate.ts` writes it. */
export const candidates = (sequence: number, list: Uint8Array): Uint8Array =>
  frame(0x09, sequence, list.length, list);
/** OBSERVED_ADDRESS. */
export const observedAddress = (
  sequence: number,
  family: number,
  ip: readonly number[],
  port: number,
): Uint8Array => frame(0x0a, sequence, new Uint8Array([family, ...ip, port >>> 8, port & 0xff]));
/** CLOSE. */
export function close(code: number, reason: string | Uint8Array = ""): Uint8Array {
  const text = typeof reason === "string" ? new TextEncoder().encode(reason) : reason;
  return frame(0x0c, code, text.length, text);
}

/** LIMITED. */
export const limited = (reason: number, value: number): Uint8Array => frame(0x0d, reason, value);

/** A frame as it was read. */
export type ReadFrame =
  | { readonly name: "PADDING"; readonly count: number }
  | { readonly name: "PING" | "ACK_NOW" }
  | {
    readonly name: "ACK";
    /** `[smallest, largest]`, newest first. */
    readonly ranges: readonly (readonly [number, number])[];
    readonly delayMs: number;
  }
  | { readonly name: "CONTROL"; readonly offset: number; readonly bytes: Uint8Array }
  | {
    readonly name: "BLOCK";
    readonly request: number;
    readonly offset: number;
    readonly bytes: Uint8Array;
  }
  | { readonly name: "CREDIT"; readonly blockLimit: number; readonly controlLimit: number }
  | { readonly name: "PATH_CHALLENGE" | "PATH_RESPONSE"; readonly data: Uint8Array }
  | { readonly name: "CANDIDATES"; readonly sequence: number; readonly list: Uint8Array }
  | {
    readonly name: "OBSERVED_ADDRESS";
    readonly sequence: number;
    readonly family: number;
    readonly ip: readonly number[];
    readonly port: number;
  }
  | { readonly name: "CLOSE"; readonly code: number; readonly reason: string }
  | { readonly name: "LIMITED"; readonly reason: number; readonly value: number };

/**
 * Reads all frames of a packet.
 *
 * @throws {Error} If they are not exactly what the table says.
 */
export function readFrames(payload: Uint8Array): ReadFrame[] {
  const reader = new ByteReader(payload);
  const frames: ReadFrame[] = [];
  while (reader.remaining > 0) {
    frames.push(readFrame(reader, payload));
    if (!reader.ok) throw new Error(`Malformed frame ${frames.at(-1)!.name}`);
  }
  return frames;
}

function readFrame(reader: ByteReader, payload: Uint8Array): ReadFrame {
  const type = reader.u8();
  switch (type) {
    case 0x00: {
      let count = 1;
      for (; reader.remaining > 0 && payload[reader.offset] === 0; count++) reader.u8();
      return { name: "PADDING", count };
    }
    case 0x01:
      return { name: "PING" };
    case 0x02:
      return readAck(reader);
    case 0x03: {
      const offset = reader.varint();
      return { name: "CONTROL", offset, bytes: reader.bytes(reader.varint()).slice() };
    }
    case 0x04: {
      const request = reader.varint();
      const offset = reader.varint();
      return { name: "BLOCK", request, offset, bytes: reader.bytes(reader.varint()).slice() };
    }
    case 0x05: {
      const blockLimit = reader.varint();
      return { name: "CREDIT", blockLimit, controlLimit: reader.varint() };
    }
    case 0x06:
      return { name: "PATH_CHALLENGE", data: reader.bytes(8).slice() };
    case 0x07:
      return { name: "PATH_RESPONSE", data: reader.bytes(8).slice() };
    case 0x09: {
      const sequence = reader.varint();
      return { name: "CANDIDATES", sequence, list: reader.bytes(reader.varint()).slice() };
    }
    case 0x0a: {
      const sequence = reader.varint();
      const family = reader.u8();
      const ip = [...reader.bytes(family === 4 ? 4 : 16)];
      return { name: "OBSERVED_ADDRESS", sequence, family, ip, port: reader.u16() };
    }
    case 0x0b:
      return { name: "ACK_NOW" };
    case 0x0c: {
      const code = reader.varint();
      const text = reader.bytes(reader.varint());
      return { name: "CLOSE", code, reason: new TextDecoder().decode(text) };
    }
    case 0x0d: {
      const reason = reader.varint();
      return { name: "LIMITED", reason, value: reader.varint() };
    }
    default:
      throw new Error(`Unknown frame type ${type}`);
  }
}

function readAck(reader: ByteReader): ReadFrame {
  let largest = reader.varint();
  const delayMs = reader.varint() * 0.008;
  const gaps = reader.varint();
  let smallest = largest - reader.varint();
  const ranges: [number, number][] = [[smallest, largest]];
  for (let index = 0; index < gaps && reader.ok; index++) {
    largest = smallest - reader.varint() - 2;
    smallest = largest - reader.varint();
    ranges.push([smallest, largest]);
  }
  return { name: "ACK", ranges, delayMs };
}
