/**
 * A NAT laboratory: network namespaces that `natlab` (a program beside this project) builds, with
 * routers and lines of chosen kinds between them. Only what the measurements need of it.
 */

/** The STUN servers that every laboratory has. */
export const STUN_SERVERS: readonly string[] = ["44.0.0.2:3478", "44.0.0.3:3478"];

/** A laboratory that stands until its scope is left. */
export class Laboratory implements AsyncDisposable {
  readonly #program: string;
  readonly #name: string;

  private constructor(program: string, name: string) {
    this.#program = program;
    this.#name = name;
  }

  /**
   * Builds one; needs root.
   *
   * @param program Path of natlab.
   * @param sites As natlab takes them: `a=easy,delay=20ms`.
   */
  static async build(program: string, sites: readonly string[]): Promise<Laboratory> {
    const laboratory = new Laboratory(program, `p2pft${Deno.pid}`);
    await laboratory.command("up", ...sites);
    return laboratory;
  }

  /** The words that run a program inside a host. */
  inside(host: string): string[] {
    return ["ip", "netns", "exec", `${this.#name}-${host}`];
  }

  /** Path of something that natlab keeps about a laboratory that stands. */
  file(name: string): string {
    return `/run/natlab/${this.#name}/${name}`;
  }

  /**
   * Runs a command of natlab.
   *
   * @throws {Error} With its output when it fails.
   */
  async command(...args: readonly string[]): Promise<void> {
    const { success, stdout, stderr } = await new Deno.Command(this.#program, {
      args: [...args],
      env: { NATLAB: this.#name },
    }).output();
    if (success) return;
    const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
    throw new Error(`natlab ${args.join(" ")} failed: ${said.trim()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.command("down");
  }
}
