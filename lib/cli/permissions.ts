/**
 * What each command may need of the system, as the permissions of Deno: looked up before anything
 * is done, so that a missing one is named with its flag instead of asked for in mid-transfer.
 * Nothing here ever opens an interactive prompt. docs/cli.md, "Permissions", lists the same flags.
 */
import { dirname, normalize } from "node:path";
import { usesIdentities } from "./expected_identities.ts";
import type {
  IdentityArguments,
  Invocation,
  PeersInvocation,
  ReceiveInvocation,
  ShareInvocation,
} from "./invocation.ts";
import { PLACE_VARIABLES } from "../identity/identity_place.ts";
import { CODE_VARIABLE } from "./code_variable.ts";

/** Asks for the state of one permission, as `Deno.permissions.query` does. */
export type PermissionQuery = (
  descriptor: Deno.PermissionDescriptor,
) => Promise<{ readonly state: Deno.PermissionState; readonly partial?: boolean }>;

/** One permission of one command. */
export interface PermissionNeed {
  readonly descriptor: Deno.PermissionDescriptor;
  /** The flag that grants it and no more, e.g. `--allow-read=/srv`. */
  readonly flag: string;
  /** What it is for, to complete "permission to …". */
  readonly purpose: string;
  /** False when the command works without it, only less well. */
  readonly required: boolean;
}

/** A permission for files; several of a kind share one flag when a command is written out. */
function fileNeed(name: "read" | "write", path: string): PermissionNeed {
  return {
    descriptor: { name, path },
    flag: `--allow-${name}=${path}`,
    purpose: `${name} ${path}`,
    required: true,
  };
}

function sysNeed(
  kind: "networkInterfaces" | "statfs",
  purpose: string,
  required: boolean,
): PermissionNeed {
  return { descriptor: { name: "sys", kind }, flag: `--allow-sys=${kind}`, purpose, required };
}

const NETWORK: PermissionNeed = {
  descriptor: { name: "net" },
  flag: "--allow-net",
  purpose: "use the network",
  required: true,
};

const LISTS_ADDRESSES = sysNeed("networkInterfaces", "list this machine's addresses", false);

const SEES_FREE_SPACE = sysNeed("statfs", "see how much space is free", false);

const CODE_IN_ENVIRONMENT: PermissionNeed = {
  descriptor: { name: "env", variable: CODE_VARIABLE },
  flag: `--allow-env=${CODE_VARIABLE}`,
  purpose: `read the code from ${CODE_VARIABLE}`,
  required: false,
};

/**
 * The least `invocation` can be run with, in the order of docs/cli.md.
 *
 * @param identityFolder Where identities are kept, as far as it is known.
 */
export function permissionNeeds(
  invocation: Invocation,
  identityFolder?: string,
): PermissionNeed[] {
  if (invocation.command === "peers") return peersNeeds(invocation, identityFolder);
  if (invocation.command === "verify") {
    const { manifest, paths } = invocation;
    // The folder of the manifest has the manifest in it.
    if (paths.length === 0) return [fileNeed("read", dirname(manifest))];
    return [manifest, ...paths].map((path) => fileNeed("read", path));
  }
  if (invocation.command === "doctor") return [NETWORK, LISTS_ADDRESSES, CODE_IN_ENVIRONMENT];
  const identities = usesIdentities(invocation) ? identityNeeds(invocation, identityFolder) : [];
  return [...transferNeeds(invocation), ...identities];
}

/** What a command needs that moves files, but for identities. */
function transferNeeds(
  invocation: Exclude<Invocation, { command: "peers" | "verify" | "doctor" }>,
): PermissionNeed[] {
  switch (invocation.command) {
    case "send":
    case "share":
    case "wait":
      return sharingNeeds(invocation);
    case "give":
      return [NETWORK, LISTS_ADDRESSES, CODE_IN_ENVIRONMENT, ...readNeeds(invocation.paths)];
    case "receive": {
      const offered = readNeeds(invocation.offer);
      const isNamed = invocation.lan?.name !== undefined;
      const connects = [NETWORK, { ...LISTS_ADDRESSES, required: isNamed }];
      if (invocation.toOutput) return [...connects, CODE_IN_ENVIRONMENT, ...offered];
      return [
        ...connects,
        SEES_FREE_SPACE,
        CODE_IN_ENVIRONMENT,
        ...bothNeeds(invocation.directory),
        ...offered,
        ...manifestNeeds(invocation),
      ];
    }
    default:
      return invocation satisfies never;
  }
}

function sharingNeeds({ addresses, take, paths, log, lan }: ShareInvocation): PermissionNeed[] {
  return [
    NETWORK,
    // Without the machine's own addresses only those given can go into the code.
    { ...LISTS_ADDRESSES, required: addresses.length === 0 || lan !== undefined },
    ...(take === undefined ? [] : [SEES_FREE_SPACE]),
    ...readNeeds(paths),
    ...(take === undefined ? [] : bothNeeds(take.directory)),
    // Read for the end of its last line.
    ...(log === undefined ? [] : bothNeeds(log)),
  ];
}

function readNeeds(paths: readonly string[]): PermissionNeed[] {
  return paths.map((path) => fileNeed("read", path));
}

function bothNeeds(path: string): PermissionNeed[] {
  return [fileNeed("read", path), fileNeed("write", path)];
}

/** A manifest is put together beside its place: its whole folder is needed, when it is another. */
function manifestNeeds({ manifest, directory }: ReceiveInvocation): PermissionNeed[] {
  if (manifest === undefined) return [];
  const folder = dirname(manifest);
  if (normalize(folder) === normalize(directory)) return [];
  return bothNeeds(folder);
}

function peersNeeds({ action, home }: PeersInvocation, folder?: string): PermissionNeed[] {
  const needs = placeNeeds(home);
  if (folder === undefined) return needs;
  const isRead = action.kind === "list" || (action.kind === "me" && !action.create);
  return [...needs, ...(isRead ? readNeeds([folder]) : bothNeeds(folder))];
}

/** Of peers that are met it is written down when that was. */
function identityNeeds({ home }: IdentityArguments, folder?: string): PermissionNeed[] {
  return [...placeNeeds(home), ...(folder === undefined ? [] : bothNeeds(folder))];
}

/** Variables that say where the folder of identities is. */
function placeNeeds(home: string | undefined): PermissionNeed[] {
  return home !== undefined ? [] : PLACE_VARIABLES.map((variable): PermissionNeed => ({
    descriptor: { name: "env", variable },
    flag: `--allow-env=${variable}`,
    purpose: `read ${variable}`,
    required: false,
  }));
}

/** Those required needs that are not granted. */
export async function missingPermissions(
  needs: readonly PermissionNeed[],
  query: PermissionQuery,
): Promise<PermissionNeed[]> {
  const missing: PermissionNeed[] = [];
  for (const need of needs) {
    if (need.required && (await query(need.descriptor)).state !== "granted") missing.push(need);
  }
  return missing;
}

/** The flags for `needs`, those of one kind joined: `--allow-sys=networkInterfaces,statfs`. */
export function permissionFlags(needs: readonly PermissionNeed[]): string[] {
  const valuesOf = new Map<string, string[]>();
  for (const { flag } of needs) {
    const equals = flag.indexOf("=");
    const name = equals < 0 ? flag : flag.slice(0, equals);
    const values = valuesOf.get(name) ?? [];
    if (equals >= 0) values.push(flag.slice(equals + 1));
    valuesOf.set(name, values);
  }
  return Array.from(valuesOf, ([name, values]) => {
    // Deno has no way to write a path with a comma in such a list: only the whole kind is left.
    const listable = values.length > 0 && values.every((value) => !value.includes(","));
    return listable ? `${name}=${[...new Set(values)].join(",")}` : name;
  });
}

const ALL_KINDS = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;

/** Whether everything is granted without exception, as `-A` does: only that can be handed on. */
export async function isEverythingGranted(query: PermissionQuery): Promise<boolean> {
  for (const name of ALL_KINDS) {
    const status = await query({ name });
    // `partial`: granted with exceptions from a --deny flag.
    if (status.state !== "granted" || status.partial === true) return false;
  }
  return true;
}
