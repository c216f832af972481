/**
 * The names gate: the only place where path components of a peer become a path on this machine
 * (docs/transfer.md, "Names"). Entries pass it in manifest order, folders before what is in them, so
 * a component is checked once, when its own entry passes.
 *
 * It decides on names alone. What is already on the disk is looked at in `plan.ts`.
 */
import type { EntryKind, ManifestEntry } from "./offer/entry.ts";
import { MAX_DEPTH, MAX_NAME_BYTES } from "./limits.ts";
import type { Storage } from "../storage/storage.ts";

/** What the gate needs of a machine. */
export type NameSystem = Pick<Storage, "nameRules" | "foldsNames" | "join">;

/** Why a name was refused. */
export type NameRefusal =
  | "is not valid UTF-8"
  | "has an empty component"
  | "leads out of the folder"
  | "has a component longer than 255 bytes"
  | "is more than 64 folders deep"
  | "contains a separator"
  | "contains a control character"
  | "is reserved by p2pft"
  | "contains a character Windows forbids"
  | "is reserved by Windows"
  | "ends in a dot or a space"
  | "is listed twice"
  | "is in a folder that is not listed";

/** A name that may be used. */
export interface AdmittedName {
  readonly isAdmitted: true;
  /** Where it goes on this machine. */
  readonly path: string;
  /** The folder it is in, on this machine. */
  readonly parent: string;
  /** Path within the share as it is stored; differs from the entry's after a collision. */
  readonly storedAs: string;
  /** Whether its top-level component begins with a dot [NAME-7]. */
  readonly isDotName: boolean;
}

/** What became of an entry's name. */
export type NameVerdict =
  | AdmittedName
  | { readonly isAdmitted: false; readonly reason: NameRefusal }
  /** In a folder that was itself refused; not worth a message of its own. */
  | { readonly isAdmitted: false; readonly reason: "inside" };

/**
 * The name under which a folder here finds `name`, on a system that folds names; undefined when there
 * is nothing of that name.
 */
export type SpellingHere = (folder: string, name: string) => string | undefined;

/** Component of a part file or journal of ours, or of one that is being written [NAME-6]. */
const OWN_NAME = /^\.p2pft-[0-9a-f]{16}\.(?:part|journal|next)$/i;
const CONTROL = /\p{Cc}/u;
const WINDOWS_FORBIDDEN = /[<>:"|?*]/;
/** A device is meant whatever follows the first dot; spaces before it do not help. */
const WINDOWS_DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;
/** The other name Windows gives a long one: `SSH~1` may be the `.ssh` that is there already. */
const WINDOWS_SHORT_NAME = /^(?=[^.]{1,8}(?:\.|$))[^.]+~\d+(?:\.[^.]{0,3})?$/;
/** Some file systems do not see the invisible characters that may stand in front of the dot. */
const DOT_NAME = /^\p{Cf}*\./u;

const encoder = new TextEncoder();

interface Folder {
  /** Path on this machine; undefined when the folder was refused. */
  readonly path: string | undefined;
  readonly storedAs: string;
  /** Whether that is its path as the peer wrote it. */
  readonly isAsListed: boolean;
  readonly depth: number;
  readonly isDotName: boolean;
  /** Names in it as the peer wrote them. Made when there is one: a share may be a million folders. */
  names?: Set<string>;
  /** Names in it as this system tells them apart, each with the next number to try for another. */
  keys?: Map<string, number>;
}

const NOWHERE: Folder = {
  path: undefined,
  storedAs: "",
  isAsListed: true,
  depth: 0,
  isDotName: false,
};

/** Turns the entries of one share into paths in one folder. */
export class NamesGate {
  readonly #system: NameSystem;
  readonly #folders = new Map<string, Folder>();
  readonly #spellingHere: SpellingHere;

  /**
   * @param system The rules of this machine.
   * @param root The folder everything goes into.
   * @param spellingHere How names are written that are here already; asked where names are folded.
   */
  constructor(
    system: NameSystem,
    root: string,
    spellingHere: SpellingHere = () => undefined,
  ) {
    this.#system = system;
    this.#spellingHere = spellingHere;
    this.#folders.set("", { ...NOWHERE, path: root });
  }

  /** Judges the next entry. */
  admit(entry: ManifestEntry): NameVerdict {
    if (entry.isMalformedName) return this.#refuse(entry, "is not valid UTF-8");
    const { path } = entry;
    const slash = path.lastIndexOf("/");
    // A slash in front stands behind an empty component, which is not the root.
    const parent = slash === 0
      ? undefined
      : this.#folders.get(slash < 0 ? "" : path.slice(0, slash));
    const name = path.slice(slash + 1);
    if (parent === undefined) return { isAdmitted: false, reason: strayReason(path) };
    const names = parent.names ??= new Set();
    if (names.has(name)) return { isAdmitted: false, reason: "is listed twice" };
    names.add(name);
    if (parent.path === undefined) return this.#refuse(entry, "inside");
    const reason = refusalOf(name, this.#system.nameRules);
    if (reason !== undefined) return this.#refuse(entry, reason);
    if (parent.depth === MAX_DEPTH) return this.#refuse(entry, "is more than 64 folders deep");
    const ownName = this.#freeName(parent, name, entry.kind);
    if (ownName === undefined) return this.#refuse(entry, "has a component longer than 255 bytes");
    if (ownName !== name) {
      // A spelling that is here may be what the peer's own was not: the name of a part file, say.
      const ownReason = refusalOf(ownName, this.#system.nameRules);
      if (ownReason !== undefined) return this.#refuse(entry, ownReason);
    }
    const isDotName = parent.depth === 0
      ? DOT_NAME.test(name) || DOT_NAME.test(ownName)
      : parent.isDotName;
    const own = this.#system.join(parent.path, ownName);
    // Nearly always the entry's own path: a million strings need not be there twice.
    const isAsListed = ownName === name && (parent.depth === 0 || parent.isAsListed);
    const storedAs = isAsListed
      ? path
      : parent.depth === 0
      ? ownName
      : `${parent.storedAs}/${ownName}`;
    if (entry.kind === "directory") {
      const depth = parent.depth + 1;
      this.#folders.set(path, { path: own, storedAs, isAsListed, depth, isDotName });
    }
    return { isAdmitted: true, path: own, parent: parent.path, storedAs, isDotName };
  }

  /**
   * Other names for an entry that was admitted, with the next numbers that the share does not use
   * itself; each is set aside for the entry when it is asked for, and none is too long.
   *
   * @returns Paths within the share as they would be stored.
   */
  *otherNames(entry: ManifestEntry, storedAs: string): Generator<string> {
    const slash = entry.path.lastIndexOf("/");
    const { names, keys } = this.#folders.get(slash < 0 ? "" : entry.path.slice(0, slash))!;
    const cut = storedAs.lastIndexOf("/") + 1;
    for (let number = 2;; number++) {
      const name = withNumber(storedAs.slice(cut), entry.kind, number);
      if (byteLength(name) > MAX_NAME_BYTES) return;
      const key = foldName(name);
      if (this.#system.foldsNames ? keys?.has(key) : names?.has(name)) continue;
      if (this.#system.foldsNames) keys?.set(key, 2);
      else names?.add(name);
      yield storedAs.slice(0, cut) + name;
    }
  }

  /** Refuses an entry and, when it is a folder, what is in it. */
  #refuse(entry: ManifestEntry, reason: NameRefusal | "inside"): NameVerdict {
    if (entry.kind === "directory" && !this.#folders.has(entry.path)) {
      this.#folders.set(entry.path, { ...NOWHERE });
    }
    return { isAdmitted: false, reason };
  }

  /**
   * The name itself, as it is written here already if it is, or with a number when this system would
   * take it for another one of the share [NAME-5].
   */
  #freeName(parent: Folder, name: string, kind: EntryKind): string | undefined {
    if (!this.#system.foldsNames) return name;
    const keys = parent.keys ??= new Map<string, number>();
    const key = foldName(name);
    // Goes on where the last one of this name stopped: beginning anew each time, a long list of one
    // name in all its spellings would take hours.
    for (let number = keys.get(key) ?? 1;; number++) {
      const candidate = number === 1 ? name : withNumber(name, kind, number);
      const candidateKey = number === 1 ? key : foldName(candidate);
      if (keys.has(candidateKey)) continue;
      if (byteLength(candidate) > MAX_NAME_BYTES) return undefined;
      keys.set(key, number + 1);
      if (number > 1) keys.set(candidateKey, 2);
      return this.#spellingHere(parent.path!, candidate) ?? candidate;
    }
  }
}

/**
 * Where an admitted entry goes on this machine.
 *
 * @param parent The folder it is in, on this machine.
 * @param storedAs Path within the share as it is stored.
 */
export function placeOf(system: NameSystem, parent: string, storedAs: string): string {
  return system.join(parent, storedAs.slice(storedAs.lastIndexOf("/") + 1));
}

/** `name (2).txt`: a name with a number before its ending. */
function withNumber(name: string, kind: EntryKind, number: number): string {
  const dot = kind === "directory" ? -1 : name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${number})${name.slice(dot)}` : `${name} (${number})`;
}

/** Why a single component may not be a name on this machine [NAME-1] [NAME-4]; undefined when it may. */
export function refusalOf(
  name: string,
  nameRules: "posix" | "windows",
): NameRefusal | undefined {
  if (name === "") return "has an empty component";
  if (name === "." || name === "..") return "leads out of the folder";
  if (byteLength(name) > MAX_NAME_BYTES) return "has a component longer than 255 bytes";
  if (name.includes("/") || name.includes("\\")) return "contains a separator";
  if (CONTROL.test(name)) return "contains a control character";
  if (OWN_NAME.test(name)) return "is reserved by p2pft";
  if (nameRules === "posix") return undefined;
  if (WINDOWS_FORBIDDEN.test(name)) return "contains a character Windows forbids";
  if (/[. ]$/.test(name)) return "ends in a dot or a space";
  if (WINDOWS_DEVICE.test(name) || WINDOWS_SHORT_NAME.test(name)) return "is reserved by Windows";
  return undefined;
}

/** A path on this machine, or why a name is not used as one, to follow "its name". */
export type NamePlace = { readonly path: string } | { readonly refusal: NameRefusal };

/**
 * Where a name leads that stands alone, without the entries of its folders before it: that of a
 * manifest on the disk, which may come from anyone.
 *
 * @param folder The folder the name belongs to.
 * @param name Components joined with `/`.
 */
export function pathInFolder(system: NameSystem, folder: string, name: string): NamePlace {
  const components = name.split("/");
  if (components.length > MAX_DEPTH) return { refusal: "is more than 64 folders deep" };
  let path = folder;
  for (const component of components) {
    const refusal = refusalOf(component, system.nameRules);
    if (refusal !== undefined) return { refusal };
    path = system.join(path, component);
  }
  return { path };
}

/** The same for names that a folding file system may take for one. */
export function foldName(name: string): string {
  // Upper before lower case: `ß` and `ss` are one name to some systems.
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** Names the component that is wrong when the folder of a path is unknown. */
function strayReason(path: string): NameRefusal {
  for (const component of path.split("/")) {
    const reason = refusalOf(component, "posix");
    if (reason !== undefined) return reason;
  }
  return "is in a folder that is not listed";
}

function byteLength(text: string): number {
  // A character is at most three bytes for each unit of UTF-16.
  return text.length * 3 <= MAX_NAME_BYTES ? text.length : encoder.encode(text).length;
}
