/** The parser of journals, which another program may have changed. */
import assert from "node:assert/strict";
import { concatBytes } from "../../lib/bytes/concat.ts";
import { ByteReader } from "../../lib/bytes/varint.ts";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { decodeJournal, encodeJournal } from "../../lib/transfer/receiving/journal.ts";
import { GROUP_BYTES } from "../../lib/transfer/limits.ts";
import type { FuzzTarget } from "./_engine.ts";
import type { Pieces } from "./_mutator.ts";

const CHECK_BYTES = 32;
const MAGIC_BYTES = 8;

/** The numbers of a journal; joined, they get the right checksum again. */
const journalPieces: Pieces = {
  split: (bytes) => {
    const end = Math.max(0, bytes.length - CHECK_BYTES);
    const reader = new ByteReader(bytes.subarray(0, end));
    const list = [reader.bytes(Math.min(MAGIC_BYTES, end)).slice()];
    while (reader.remaining > 0) {
      const start = reader.offset;
      reader.varint();
      list.push(bytes.slice(start, reader.ok ? reader.offset : end));
    }
    return list;
  },
  join: (list) => {
    const body = concatBytes(...list);
    return concatBytes(body, nodeProvider.sha256(body));
  },
};

const journal: FuzzTarget = {
  name: "journal",
  pieces: journalPieces,
  inputs: 15_000,
  seeds: [
    encodeJournal(nodeProvider, { sizeBytes: 10 * GROUP_BYTES, groups: [0, 3, 5, 10] }),
    encodeJournal(nodeProvider, { sizeBytes: 2 * GROUP_BYTES + 1, groups: [2, 3] }),
    encodeJournal(nodeProvider, { sizeBytes: 2 ** 40, groups: [] }),
  ],
  check: (input) => {
    const read = decodeJournal(nodeProvider, input);
    if (read === undefined) return "refused";
    const { sizeBytes, groups } = read;
    assert.equal(groups.length % 2, 0);
    groups.forEach((group, index) => {
      assert.ok(index === 0 || group > groups[index - 1]!, "ranges ascend and do not touch");
    });
    assert.ok((groups.at(-1) ?? 0) <= Math.ceil(sizeBytes / GROUP_BYTES));
    assert.deepEqual(decodeJournal(nodeProvider, encodeJournal(nodeProvider, read)), read);
    return `${Math.min(groups.length / 2, 10)} ranges`;
  },
};

/** All of this file. */
export const JOURNAL_TARGETS: readonly FuzzTarget[] = [journal];
