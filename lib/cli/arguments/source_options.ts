/** What a command line wants sent: paths, standard input, or a text; and what of it is left out. */
import { type Command, Option } from "npm:commander@15.1.0";
import type { SendInput, SourceArguments, SymlinksChoice } from "../invocation.ts";
import { STANDARD_STREAM } from "../option_values.ts";
import { collectText } from "./option_parsers.ts";

/** The options that say what is sent, as they were given. */
export interface SourceOptions {
  readonly exclude?: string[];
  readonly gitignore?: true;
  readonly symlinks?: SymlinksChoice;
  readonly text?: string;
  readonly name?: string;
}

/** Adds them. */
export function addSourceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--exclude <glob>",
        "leave out what fits this pattern of gitignore, in each folder (repeatable)",
      ).argParser(collectText),
    )
    .option("--gitignore", "leave out what .gitignore files in the folders say, and .git")
    .addOption(
      new Option("--symlinks <policy>", "what to do with links in the folders (default: skip)")
        .choices(["skip", "follow", "keep"] satisfies SymlinksChoice[]),
    )
    .option("--text <text>", "send this text, to be read there; - takes it from standard input")
    .option("--name <name>", "what standard input or the text is called there");
}

/** Why what is to be sent makes no sense; undefined when it does. */
export function sourceProblem(
  paths: readonly string[],
  options: SourceOptions,
): string | undefined {
  const { text, name, exclude, gitignore, symlinks } = options;
  const sendsInput = paths.includes(STANDARD_STREAM);
  if (paths.length === 0 && text === undefined) return "missing required argument 'path'";
  if (text !== undefined && paths.length > 0) return "--text cannot stand beside paths";
  if (sendsInput && paths.length > 1) {
    return "- (standard input) cannot stand beside other paths; a file of that name is ./-";
  }
  const sendsPaths = text === undefined && !sendsInput;
  if (sendsPaths && name !== undefined) return "--name is for - and --text: files keep their names";
  const isForPaths = exclude !== undefined || gitignore || symlinks !== undefined;
  if (!sendsPaths && isForPaths) return "--exclude, --gitignore and --symlinks are for folders";
  return undefined;
}

/** What is sent. */
export function sourceArguments(
  paths: readonly string[],
  options: SourceOptions,
): SourceArguments {
  const input = sendInput(paths, options);
  return {
    paths: input === undefined ? paths : [],
    ...(input === undefined ? {} : { input }),
    exclude: options.exclude ?? [],
    gitignore: options.gitignore ?? false,
    symlinks: options.symlinks ?? "skip",
  };
}

/** What is sent that is no path; undefined when paths are. */
function sendInput(paths: readonly string[], options: SourceOptions): SendInput | undefined {
  const { text } = options;
  const name = options.name === undefined ? {} : { name: options.name };
  if (paths.includes(STANDARD_STREAM)) return { kind: "stream", ...name };
  if (text === undefined) return undefined;
  return { kind: "text", ...(text === STANDARD_STREAM ? {} : { text }), ...name };
}
