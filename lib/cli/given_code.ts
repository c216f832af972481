/** The code of a share in what a person gave: an argument, a variable, or a line. */
import { codesInLine, likeliestCode } from "../rendezvous/code_in_line.ts";
import { decodeShareCode } from "../rendezvous/share_code.ts";

/** What stands in front of a code whose beginning is mistyped, when a whole line was copied. */
const COMMAND_IN_FRONT = /^.*\sreceive\s+(?=p2p)/i;

/**
 * Finds the code. What is wrong with one that cannot be read is for the library to say.
 *
 * @returns Undefined when nothing was given.
 */
export function givenCode(text: string | undefined): string | undefined {
  const line = text?.trim() ?? "";
  if (line === "") return undefined;
  const codes = codesInLine(line);
  if (codes.length === 0) return line.replace(COMMAND_IN_FRONT, "");
  // Which addresses are allowed is no matter of where the code ends.
  return codes.find((code) => decodeShareCode(code, { allowLoopback: true }).ok) ??
    likeliestCode(codes);
}
