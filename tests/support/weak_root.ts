/**
 * Root may read and write whatever the bits of a file say, so tests that take those away would show
 * nothing. Here the program is started without that privilege; anyone else needs no help.
 */

/**
 * What to start a program under so that permissions of files count: nothing for ordinary users, on
 * Linux `setpriv` for root, undefined where there is no such thing.
 */
export function weakRootWrapper(): readonly string[] | undefined {
  if (Deno.build.os === "windows") return undefined;
  if (Deno.uid() !== 0) return [];
  if (Deno.build.os !== "linux") return undefined;
  const wrapper = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];
  try {
    const { success } = new Deno.Command(wrapper[0]!, {
      args: [...wrapper.slice(1), "true"],
      stderr: "null",
    }).outputSync();
    return success ? wrapper : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
