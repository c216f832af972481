/** Who may import whom: the layers of ARCHITECTURE.md as a table, and the check of one import. */
import { PURE_FOLDERS } from "./lint_plugin.ts";
import type { Import } from "./module_graph.ts";

const PURE_BASE = ["lib/bytes/", "lib/errors.ts", "lib/time.ts"];
const PURE_CRYPTO = [...PURE_BASE, "lib/crypto/"];
const BELOW_TRANSPORT = [...PURE_CRYPTO, "lib/nat/", "lib/protocol/"];
const ABOVE_TRANSPORT = [
  ...BELOW_TRANSPORT,
  "lib/transport/",
  "lib/events.ts",
  "lib/options.ts",
];
const BELOW_OPERATIONS = [
  ...ABOVE_TRANSPORT,
  "lib/storage/",
  "lib/transfer/",
  "lib/checksums/",
  "lib/rendezvous/",
  "lib/portmap/",
  "lib/traversal/",
  "lib/lan/",
  "lib/identity/",
];

/**
 * What each part may import besides itself: folders end in a slash. The first row that fits a file
 * counts.
 */
const MAY_IMPORT: readonly (readonly [part: string, allowed: readonly string[]])[] = [
  ["lib/errors.ts", []],
  ["lib/time.ts", []],
  ["lib/version.ts", ["deno.json"]],
  ["lib/events.ts", ["lib/errors.ts", "lib/nat/mapping_class.ts", "lib/nat/path_method.ts"]],
  // Types of what can be handed in, from every layer that declares such an interface.
  ["lib/options.ts", BELOW_OPERATIONS],
  ["lib/bytes/", ["lib/errors.ts"]],
  ["lib/crypto/", PURE_BASE],
  ["lib/nat/", PURE_CRYPTO],
  // Side by side with lib/nat, but for what addresses, paths and what shares the sockets look like.
  ["lib/protocol/", [
    ...PURE_CRYPTO,
    "lib/nat/address.ts",
    "lib/nat/candidate.ts",
    "lib/nat/datagram_machine.ts",
    "lib/nat/path.ts",
  ]],
  ["lib/transport/", BELOW_TRANSPORT],
  ["lib/portmap/", [
    ...BELOW_TRANSPORT,
    "lib/transport/clock.ts",
    "lib/transport/open_socket.ts",
    "lib/transport/socket.ts",
  ]],
  // One queue is the same for datagrams and files.
  ["lib/storage/", [...PURE_BASE, "lib/protocol/fifo.ts"]],
  ["lib/transfer/", [...ABOVE_TRANSPORT, "lib/storage/"]],
  ["lib/checksums/", [...ABOVE_TRANSPORT, "lib/storage/", "lib/transfer/"]],
  ["lib/rendezvous/", ABOVE_TRANSPORT],
  // Names pass the gate of all text that is shown.
  ["lib/identity/", [...PURE_CRYPTO, "lib/transfer/escape_text.ts"]],
  ["lib/traversal/", [...ABOVE_TRANSPORT, "lib/rendezvous/", "lib/portmap/"]],
  ["lib/lan/", [...ABOVE_TRANSPORT, "lib/rendezvous/"]],
  ["lib/cli/", ["lib/", "mod.ts"]],
  ["lib/operation/", BELOW_OPERATIONS],
  ["lib/session/", [...BELOW_OPERATIONS, "lib/operation/"]],
  ["lib/sharing/", [...BELOW_OPERATIONS, "lib/operation/", "lib/session/"]],
  ["lib/receiving/", [...BELOW_OPERATIONS, "lib/operation/", "lib/session/"]],
  ["lib/doctor/", [...BELOW_OPERATIONS, "lib/operation/"]],
  // What is left of lib/ are the public operations: where the layers meet.
  ["lib/", [...BELOW_OPERATIONS, "lib/"]],
  ["mod.ts", ["lib/"]],
  ["cli.ts", ["lib/"]],
];

/** The only Node built-ins of the library, file by file. */
const NODE_BUILTINS: ReadonlyMap<string, readonly string[]> = new Map([
  ["lib/verify.ts", ["node:path"]],
  ["lib/receiving/received_manifest.ts", ["node:path"]],
  ["lib/crypto/node_provider.ts", ["node:crypto"]],
  ["lib/transport/clock.ts", ["node:process", "node:timers"]],
  ["lib/transport/dgram_socket.ts", ["node:dgram"]],
  ["lib/transport/node_socket.ts", ["node:dgram"]],
  ["lib/lan/dns_message.ts", ["node:buffer"]],
  ["lib/lan/node_lan_network.ts", ["node:dgram"]],
  ["lib/storage/deno_free_bytes.ts", ["node:fs/promises", "node:path"]],
  ["lib/storage/deno_folders.ts", ["node:path"]],
  ["lib/storage/deno_storage.ts", ["node:path"]],
  ["lib/storage/deno_link.ts", ["node:fs/promises"]],
  ["lib/storage/deno_part_file.ts", ["node:fs"]],
  ["lib/storage/deno_small_files.ts", ["node:fs"]],
  ["lib/storage/deno_unplaced_files.ts", ["node:fs", "node:fs/promises"]],
  ["lib/storage/disk_pace.ts", ["node:timers"]],
  ["lib/cli/log_file.ts", ["node:path"]],
  ["lib/cli/permissions.ts", ["node:path"]],
  ["lib/cli/run_operation.ts", ["node:timers"]],
]);

/** Packages that are for tests and benchmarks. */
const TEST_PACKAGES = ["fast-check", "jsqr"];

/** How the library names a package. */
const EXACT_PACKAGE = /^npm:(?:@[a-z0-9-]+\/)?[a-z0-9-]+@\d+\.\d+\.\d+(?:\/|$)/;

/** Where layers meet. */
const OPERATIONS: ReadonlySet<string> = new Set([
  "lib/",
  "lib/operation/",
  "lib/session/",
  "lib/sharing/",
  "lib/receiving/",
]);

/** Adapters to a platform are chosen where layers meet, or by the folder that holds them. */
const ADAPTER = /^lib\/(?<folder>[a-z]+)\/(?:deno|node)_[a-z0-9_]+\.ts$/;

function isWithin(file: string, part: string): boolean {
  return part.endsWith("/") ? file.startsWith(part) : file === part;
}

function isPure(file: string): boolean {
  return PURE_FOLDERS.some((folder) => file.startsWith(folder));
}

/** What is wrong with an import; undefined when nothing is. */
export function importProblem({ from, to, written }: Omit<Import, "isStatic">): string | undefined {
  const row = MAY_IMPORT.find(([part]) => isWithin(from, part));
  if (row === undefined) return `${from} is in no layer`;
  const [part, allowed] = row;

  if (to.startsWith("node:")) {
    if (NODE_BUILTINS.get(from)?.includes(to)) return undefined;
    return `${from} imports ${to}, which only ${ownersOf(to)} may`;
  }
  if (/^(?:jsr|https?):/.test(to)) return `${from} imports ${written}, which is no npm package`;
  if (to.startsWith("npm:")) {
    const isForTests = TEST_PACKAGES.some((name) => to.startsWith(`npm:${name}@`));
    if (isForTests) return `${from} imports ${written}, a package for tests`;
    // A user runs cli.ts with --no-config, where the names of deno.json mean nothing.
    return EXACT_PACKAGE.test(written)
      ? undefined
      : `${from} imports ${written}: write npm:NAME@X.Y.Z`;
  }

  const isOwn = part.endsWith("/") && part !== "lib/" && to.startsWith(part);
  if (!isOwn && !allowed.some((other) => isWithin(to, other))) {
    return isPure(from) && !isPure(to)
      ? `${from} is pure and imports ${to}, which is not`
      : `${from} imports ${to}: ${part} may not`;
  }
  if (to.startsWith("lib/cli/") && from !== "cli.ts" && !isOwn) {
    return `${from} imports ${to}: only cli.ts and lib/cli/ may`;
  }
  const adapterFolder = ADAPTER.exec(to)?.groups?.["folder"];
  const isElsewhere = !OPERATIONS.has(part) && part !== `lib/${adapterFolder}/`;
  if (adapterFolder !== undefined && isElsewhere) {
    return `${from} imports the adapter ${to}: adapters are chosen by operations`;
  }
  return undefined;
}

function ownersOf(builtin: string): string {
  const owners = [...NODE_BUILTINS].filter(([, list]) => list.includes(builtin));
  return owners.length === 0 ? "nobody" : owners.map(([file]) => file).join(", ");
}
