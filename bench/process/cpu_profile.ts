/**
 * Where the processor time of one side goes: V8's profile (`deno run --cpu-prof`) summed by what the
 * work is for. A sample counts for the innermost frame of this project below it on the stack, so the
 * time of Deno's own code and of native calls goes to the part of ours that called them; what runs
 * without any frame of ours is told apart by the name of the native call.
 *
 * Only the JavaScript thread is in the profile. Threads of the pool that read and write files, and
 * V8's own for garbage, are in the total of the process alone.
 */

/** What time is spent on, in the order of the table. */
export const WORK = [
  "seal and open packets",
  "UDP send and receive",
  "hashing",
  "disk",
  "packets, frames, recovery",
  "files, groups, requests",
  "program and screen",
  "garbage collection",
  "event loop and rest",
] as const;

/** One of {@linkcode WORK}. */
export type Work = typeof WORK[number];

/** Milliseconds of each kind of work, idle time left out. */
export type ProfileSummary = Readonly<Record<Work, number>>;

/** The parts of a .cpuprofile that are used; times in microseconds. */
interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

const PROJECT_URL = new URL("../../", import.meta.url).href;

/** Files of the project by what they are for; the first pattern that fits counts. */
const WORK_OF_FILE: readonly (readonly [RegExp, Work])[] = [
  [/^lib\/transfer\/hash_tree\.ts$/, "hashing"],
  [/^lib\/crypto\//, "seal and open packets"],
  [/^lib\/transport\//, "UDP send and receive"],
  [/^lib\/storage\//, "disk"],
  [/^lib\/(?:protocol|bytes)\//, "packets, frames, recovery"],
  [/^lib\/(?:transfer|rendezvous|nat)\//, "files, groups, requests"],
  [/^/, "program and screen"],
];

/** Names of native calls and of Deno's own code, for samples without a frame of ours. */
const WORK_OF_NAME: readonly (readonly [RegExp, Work])[] = [
  [/^\(garbage collector\)$/, "garbage collection"],
  [/^op_net_|ext:deno_net/, "UDP send and receive"],
  [/^op_(?:fs|read|write)|ext:deno_fs|ext:deno_io/, "disk"],
];

const HASH_FUNCTION = /^(?:sha256|op_node_hash)/;

/** Sums a profile. */
export function summarizeProfile(profile: CpuProfile): ProfileSummary {
  const summary = Object.fromEntries(WORK.map((work) => [work, 0])) as Record<Work, number>;
  const workOfNode = assignWork(profile.nodes);
  profile.samples.forEach((node, index) => {
    const work = workOfNode.get(node);
    if (work !== undefined) summary[work] += (profile.timeDeltas[index] ?? 0) / 1000;
  });
  return summary;
}

/** The work of every node of the tree; undefined for idle time. */
function assignWork(nodes: readonly ProfileNode[]): Map<number, Work | undefined> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const works = new Map<number, Work | undefined>();
  const visit = (node: ProfileNode, inherited: Work | undefined): void => {
    const own = workOfFrame(node, inherited);
    works.set(node.id, isIdle(node) ? undefined : own ?? "event loop and rest");
    for (const child of node.children ?? []) visit(byId.get(child)!, own);
  };
  const children = new Set(nodes.flatMap(({ children }) => children ?? []));
  for (const node of nodes) if (!children.has(node.id)) visit(node, undefined);
  return works;
}

function workOfFrame({ callFrame }: ProfileNode, inherited: Work | undefined): Work | undefined {
  const { functionName, url } = callFrame;
  // Hashing has no file of its own in the provider.
  if (HASH_FUNCTION.test(functionName)) return "hashing";
  if (functionName === "(garbage collector)") return "garbage collection";
  if (url.startsWith(PROJECT_URL)) {
    const file = url.slice(PROJECT_URL.length);
    return WORK_OF_FILE.find(([pattern]) => pattern.test(file))?.[1];
  }
  if (inherited !== undefined) return inherited;
  return WORK_OF_NAME.find(([pattern]) => pattern.test(functionName) || pattern.test(url))?.[1];
}

function isIdle({ callFrame }: ProfileNode): boolean {
  return callFrame.functionName === "(idle)";
}

/** Reads the one profile that a process left in `folder`. */
export async function readProfile(folder: string): Promise<ProfileSummary> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".cpuprofile")) continue;
    return summarizeProfile(JSON.parse(await Deno.readTextFile(`${folder}/${name}`)));
  }
  throw new Error(`No profile in ${folder}`);
}
