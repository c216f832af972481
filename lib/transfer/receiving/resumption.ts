/**
 * Files of which something is here already: of an earlier run that was cut off, in an older version,
 * or under another name (docs/transfer.md, "Files that are partly here") [DISK-8]. The sharer is
 * asked for their hashes, and at the same time for what is surely missing; meanwhile what is here is
 * compared (`comparison.ts`), one file after another in the order in which the sharer answers.
 */
import { Fifo } from "../../protocol/fifo.ts";
import { BufferPool } from "../buffer_pool.ts";
import {
  type Candidate,
  Comparison,
  type ComparisonHandler,
  type ComparisonOptions,
} from "./comparison.ts";
import type { FileWriter } from "./file_writer.ts";
import type { TransferCrypto } from "../hash_tree.ts";
import { type CheckProblem, IncomingCheck } from "./incoming_check.ts";
import type { IncomingFile } from "./incoming_file.ts";
import { type GroupRanges, missingRanges, otherGroups } from "./kept_groups.ts";
import {
  GROUP_BYTES,
  MAX_CHECK_GROUPS,
  MAX_RESUMING_FILES,
  MAX_RESUMING_PARTS,
} from "../limits.ts";
import type { LeftGroups } from "./journaled_part.ts";
import type { Message, Root } from "../messages.ts";
import type { PlannedFile } from "./plan.ts";
import type { RequestWindow } from "./request_window.ts";
import type { Half } from "../half.ts";
import { type SourceFile, type Storage, StorageError } from "../../storage/storage.ts";

/** What a {@linkcode Resumption} works with. */
export interface ResumptionOptions {
  readonly half: Half;
  readonly storage: Storage;
  readonly crypto: TransferCrypto;
  readonly requests: RequestWindow;
  readonly writer: FileWriter;
  readonly handler: ResumptionHandler;
}

/** What a {@linkcode Resumption} tells. */
export interface ResumptionHandler extends ComparisonHandler {
  /** The sharer could not hash it. */
  readonly onRefused: (file: IncomingFile, status: "changed" | "unreadable") => void;
  /** The sharer contradicts itself. */
  readonly onWrongHashes: (file: IncomingFile) => void;
  /** A request for hashes is over. */
  readonly onAnswered: () => void;
}

const NO_GROUPS: GroupRanges = [];
const NOTHING_LEFT: LeftGroups = { synced: NO_GROUPS, unsynced: NO_GROUPS };

/** The files of one transfer of which something is here. */
export class Resumption {
  readonly #options: ResumptionOptions;
  readonly #half: Half;
  readonly #comparing: ComparisonOptions;
  readonly #planned = new Fifo<PlannedFile>();
  /** Files that are begun and not compared, in order. */
  readonly #begun = new Fifo<Promise<Candidate | undefined>>();
  #begunGroups = 0;
  /** Large files that are begun and not in their places. */
  readonly #unsettled = new Set<IncomingFile>();
  readonly #checks = new Map<number, IncomingCheck>();
  #running: Promise<void> = Promise.resolve();
  #keptFiles = 0;
  #keptBytes = 0;
  #wake = (): void => {};

  /** @param options What it works with. */
  constructor(options: ResumptionOptions) {
    this.#options = options;
    this.#half = options.half;
    this.#comparing = {
      ...options,
      pool: new BufferPool(),
      handler: {
        ...options.handler,
        onKept: (file, bytes) => {
          this.#keptBytes += bytes;
          options.handler.onKept(file, bytes);
        },
      },
    };
  }

  /** Begins with files of which `mayResume` holds. */
  start(files: readonly PlannedFile[]): void {
    for (const file of files) this.#planned.push(file);
    if (files.length > 0) this.#running = this.#run().catch((error) => this.#half.crash(error));
  }

  /** A file was settled: its part file is not open any more. */
  noteSettled(file: IncomingFile): void {
    if (this.#unsettled.delete(file)) this.#wake();
  }

  /** The request for the hashes of a file, unless it was answered. */
  checkOf(file: IncomingFile): IncomingCheck | undefined {
    return this.#checks.get(file.firstRequest);
  }

  /** Waits until nothing is read any more; the session has ended. */
  async stop(): Promise<void> {
    for (const check of this.#checks.values()) check.end();
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (;;) {
      this.#beginMore();
      const next = this.#begun.shift();
      if (next !== undefined) {
        const candidate = await next;
        if (candidate !== undefined) await this.#compare(candidate);
      } else if (this.#planned.length === 0 || this.#half.hasEnded) {
        break;
      } else {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    }
    if (this.#keptFiles === 0) return;
    this.#half.notify({ event: "resumed", files: this.#keptFiles, bytes: this.#keptBytes });
  }

  // ---- beginning with a file ----

  #beginMore(): void {
    for (;;) {
      const planned = this.#planned.peek();
      if (planned === undefined || this.#half.hasEnded) return;
      const groups = Math.ceil(planned.entry.sizeBytes / GROUP_BYTES);
      const isFull = this.#begun.length >= MAX_RESUMING_FILES ||
        this.#begunGroups + groups > MAX_CHECK_GROUPS ||
        (groups > 1 && this.#unsettled.size >= MAX_RESUMING_PARTS);
      if (isFull) return;
      this.#planned.shift();
      const file = this.#options.requests.newFile(planned);
      this.#begunGroups += groups;
      if (groups > 1) this.#unsettled.add(file);
      const beginning = this.#begin(file);
      // At once, and not when its turn has come.
      beginning.catch((error) => this.#half.crash(error));
      this.#begun.push(beginning);
    }
  }

  /** Opens what is here and asks for hashes; undefined when there is nothing to compare. */
  async #begin(file: IncomingFile): Promise<Candidate | undefined> {
    const { requests, writer, crypto, handler } = this.#options;
    const { planned, groupCount } = file;
    const { hasPart, reuse, overwrite } = planned;
    // Of what may not be replaced nothing is written: it is only compared.
    const isKept = reuse?.isInPlace === true && !overwrite;
    const left = hasPart && !isKept ? await writer.resume(file) : undefined;
    const { synced, unsynced } = left ?? NOTHING_LEFT;
    const inPart = union(synced, unsynced);
    const source = reuse && groupCount > 1 ? await this.#open(reuse.path) : undefined;
    if (this.#half.hasEnded) {
      source?.close();
      return undefined;
    }
    const reusable = source ? otherGroups(inPart, wholeGroups(source, file)) : NO_GROUPS;
    const isSmall = reuse !== undefined && groupCount <= 1;
    if (inPart.length + reusable.length === 0 && !isSmall) {
      source?.close();
      this.#begunGroups -= groupCount;
      this.#unsettled.delete(file);
      if (isKept) handler.onDiffering(file);
      else requests.addFiles([planned]);
      return undefined;
    }
    const check = new IncomingCheck(requests.addCheck(file), file, crypto);
    this.#checks.set(check.id, check);
    if (!isSmall) {
      const here = union(inPart, reusable);
      for (const range of missingRanges(here, file.sizeBytes)) requests.addRange(file, range);
    }
    return { file, check, synced, unsynced, source, reusable };
  }

  async #open(path: string): Promise<SourceFile | undefined> {
    try {
      return await this.#options.storage.openSource(path);
    } catch (error) {
      // It would only have spared something.
      if (error instanceof StorageError) return undefined;
      throw error;
    }
  }

  async #compare(candidate: Candidate): Promise<void> {
    const { file, check, source } = candidate;
    const before = this.#keptBytes;
    try {
      await new Comparison(this.#comparing, candidate).run();
    } finally {
      source?.close();
      check.forget();
      this.#begunGroups -= file.groupCount;
    }
    if (this.#keptBytes > before) this.#keptFiles++;
  }

  // ---- answers ----

  /** Takes hashes that answer a CHECK; false when they answer something else. */
  handleNodes(message: Message & { type: "nodes" }): boolean {
    const check = this.#checks.get(message.request);
    if (check === undefined) return false;
    this.#report(check, check.handleNodes(message.firstGroup, message.hashes));
    return true;
  }

  /** Takes the end of a CHECK; false when it is that of something else. */
  handleRoot(message: Root): boolean {
    const check = this.#checks.get(message.request);
    if (check === undefined) return false;
    const { requests, handler } = this.#options;
    const { status, sentBytes, root } = message;
    const { file } = check;
    if (status === "whole" || status === "ranges" || sentBytes > 0) {
      this.#half.violation("ROOT of another kind");
      return true;
    }
    if (status === "cancelled" && !check.isCancelled) {
      this.#half.violation("ROOT says cancelled, but nobody did");
      return true;
    }
    this.#checks.delete(check.id);
    if (status === "hashed") {
      file.claimedRoot = root;
      this.#report(check, check.handleRoot(root));
      if (!this.#half.hasEnded && !file.isSettled) handler.onProgress(file);
    } else {
      check.end();
      if (status !== "cancelled" && !file.isSettled) handler.onRefused(file, status);
    }
    requests.retireCheck();
    handler.onAnswered();
    return true;
  }

  #report(check: IncomingCheck, problem: CheckProblem | undefined): void {
    if (problem === "malformed") this.#half.violation("hashes that do not fit the CHECK");
    else if (problem === "integrity") this.#options.handler.onWrongHashes(check.file);
  }
}

/** Whether something of a file may be here, and its hashes may be asked for [XFER-17]. */
export function mayResume({ hasPart, reuse, entry }: PlannedFile): boolean {
  return (hasPart || reuse !== undefined) && entry.sizeBytes <= MAX_CHECK_GROUPS * GROUP_BYTES;
}

/** How many groups of a file another one may have: the last, shorter one when they end together. */
function wholeGroups({ info }: SourceFile, { sizeBytes, groupCount }: IncomingFile): number {
  if (info.sizeBytes >= sizeBytes) return groupCount;
  return Math.floor(info.sizeBytes / GROUP_BYTES);
}

/** Groups of either; the two have none in common. */
function union(a: GroupRanges, b: GroupRanges): GroupRanges {
  const all: [first: number, end: number][] = [];
  for (const ranges of [a, b]) {
    for (let index = 0; index < ranges.length; index += 2) {
      all.push([ranges[index]!, ranges[index + 1]!]);
    }
  }
  return all.sort(([first], [other]) => first - other).flat();
}
