/**
 * Lint rule for the pure folders: what they do depends on their arguments alone, so a clock, a
 * timer, chance or I/O that is simply there (a global) is reported. Imports are the business of
 * `boundaries_test.ts`.
 */

/** The folders whose code is pure. */
export const PURE_FOLDERS = [
  "lib/bytes/",
  "lib/crypto/",
  "lib/nat/",
  "lib/protocol/",
  "lib/time.ts",
] as const;

/** Globals that reach for the world, and what to do instead. */
const WORLDLY = new Map<string, string>([
  ["Deno", "I/O belongs to lib/transport and lib/storage"],
  ["process", "I/O belongs to lib/transport and lib/storage"],
  ["Date", "take the time as an argument"],
  ["performance", "take the time as an argument"],
  ["Temporal", "take the time as an argument"],
  ["setTimeout", "give out a deadline and let the caller wait"],
  ["setInterval", "give out a deadline and let the caller wait"],
  ["setImmediate", "give out an event and let the caller go on"],
  ["queueMicrotask", "give out an event and let the caller go on"],
  ["crypto", "take a RandomSource or a CryptoProvider as an argument"],
  ["fetch", "I/O belongs to lib/transport"],
  ["WebSocket", "I/O belongs to lib/transport"],
  ["EventSource", "I/O belongs to lib/transport"],
  ["XMLHttpRequest", "I/O belongs to lib/transport"],
  ["BroadcastChannel", "I/O belongs to lib/transport"],
  ["Worker", "threads belong to the outer layers"],
  ["localStorage", "state is kept by the caller"],
  ["sessionStorage", "state is kept by the caller"],
  ["console", "give out an event and let the caller tell it"],
  ["alert", "give out an event and let the caller tell it"],
  ["confirm", "give out an event and let the caller ask"],
  ["prompt", "give out an event and let the caller ask"],
  ["globalThis", "nothing global is needed here"],
  ["self", "nothing global is needed here"],
  ["window", "nothing global is needed here"],
]);

/** True for a file the rule looks at. */
export function isPureFile(filename: string): boolean {
  const path = filename.replaceAll("\\", "/");
  return PURE_FOLDERS.some((folder) => path.includes(`/${folder}`) || path.startsWith(folder));
}

type Node = Deno.lint.Node;

// Whether an identifier stands for a value or type of that name, rather than being the name of a
// property, a member or a label.
function isReference(node: Deno.lint.Identifier): boolean {
  const parent: Node | undefined = node.parent;
  switch (parent?.type) {
    case "MemberExpression":
      return parent.object === node || parent.computed;
    case "Property":
      return parent.value === node || parent.computed;
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.computed || (parent.type === "PropertyDefinition" && parent.value === node);
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSEnumMember":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
    case "LabeledStatement":
    case "ImportSpecifier":
    case "ExportSpecifier":
      return false;
    default:
      return true;
  }
}

// Whether an identifier gives its name to something of the file's own.
function isDeclaration(node: Deno.lint.Identifier): boolean {
  const parent: Node | undefined = node.parent;
  switch (parent?.type) {
    case "VariableDeclarator":
      return parent.id === node;
    case "FunctionDeclaration":
      return parent.id === node || (parent.params as Node[]).includes(node);
    case "ClassDeclaration":
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
    case "TSEnumDeclaration":
      return parent.id === node;
    case "ImportSpecifier":
      return parent.local === node;
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
    case "RestElement":
      return true;
    case "FunctionExpression":
    case "ArrowFunctionExpression":
    case "TSDeclareFunction":
    case "TSFunctionType":
    case "TSMethodSignature":
      return (parent.params as Node[]).includes(node);
    case "AssignmentPattern":
      return parent.left === node;
    case "Property":
      return parent.value === node && parent.parent?.type === "ObjectPattern";
    default:
      return false;
  }
}

const plugin: Deno.lint.Plugin = {
  name: "pure-core",
  rules: {
    "no-world": {
      create(context) {
        if (!isPureFile(context.filename)) return {};
        const declared = new Set<string>();
        const found: Deno.lint.Identifier[] = [];
        return {
          Identifier(node) {
            if (isDeclaration(node)) declared.add(node.name);
            else if (WORLDLY.has(node.name) && isReference(node)) found.push(node);
          },
          MemberExpression(node) {
            if (
              node.object.type === "Identifier" && node.object.name === "Math" &&
              (node.property.type === "Identifier" && node.property.name === "random" ||
                node.property.type === "Literal" && node.property.value === "random")
            ) {
              context.report({
                node,
                message: "Math.random in a pure folder",
                hint: "take a RandomSource as an argument",
              });
            }
          },
          "Program:exit"() {
            for (const node of found) {
              if (declared.has(node.name)) continue;
              context.report({
                node,
                message: `${node.name} in a pure folder`,
                hint: WORLDLY.get(node.name)!,
              });
            }
          },
        };
      },
    },
  },
};

export default plugin;
