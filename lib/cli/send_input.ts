/** What a command line of `send` wants sent, where that is no path: standard input, or a text. */
import type { SendInput, SymlinksChoice } from "./invocation.ts";
import { STANDARD_STREAM } from "./option_values.ts";

/** The options that say what is sent, as they were given. */
export interface SourceOptions {
  readonly private?: true;
  readonly exclude?: string[];
  readonly gitignore?: true;
  readonly symlinks?: SymlinksChoice;
  readonly text?: string;
  readonly name?: string;
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
  if (sendsInput && options.private) {
    return "--private takes reply codes from standard input, which - sends";
  }
  const sendsPaths = text === undefined && !sendsInput;
  if (sendsPaths && name !== undefined) return "--name is for - and --text: files keep their names";
  const isForPaths = exclude !== undefined || gitignore || symlinks !== undefined;
  if (!sendsPaths && isForPaths) return "--exclude, --gitignore and --symlinks are for folders";
  return undefined;
}

/** What is sent that is no path; undefined when paths are. */
export function sendInput(paths: readonly string[], options: SourceOptions): SendInput | undefined {
  const { text } = options;
  const name = options.name === undefined ? {} : { name: options.name };
  if (paths.includes(STANDARD_STREAM)) return { kind: "stream", ...name };
  if (text === undefined) return undefined;
  return { kind: "text", ...(text === STANDARD_STREAM ? {} : { text }), ...name };
}
