/**
 * Goal: the program of docs/embedding.md does what it says: people on its list get the folder, others
 * nothing, and who is taken off the list is sent away.
 * Method: `docs/examples/serve_folder.ts` in a process of its own, and `receive` in others, over
 * loopback, each with an identity in a folder of its own.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { nodeProvider } from "../../lib/crypto/node_provider.ts";
import { openIdentities } from "../../lib/identities.ts";
import { fingerprintOf } from "../../lib/identity/fingerprint.ts";
import { systemRandom } from "../../lib/transport/random.ts";
import { startReceive } from "../support/cli_transfer.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { within } from "../support/within.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** The example while it runs, and what it has printed. */
class ServingProgram implements AsyncDisposable {
  output = "";
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #onOutput = (): void => {};

  constructor(args: readonly string[]) {
    const flags = ["--no-prompt", "--config", join(ROOT, "deno.json"), "--unstable-net", "-A"];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, join(ROOT, "docs/examples/serve_folder.ts"), ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#reading = this.#read();
  }

  async #read(): Promise<void> {
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      this.#onOutput();
    }
  }

  /** Waits until something was printed, and gives what the pattern caught. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    const search = async (): Promise<RegExpExecArray> => {
      for (;;) {
        const found = pattern.exec(this.output);
        if (found) return found;
        await new Promise<void>((resolve) => this.#onOutput = resolve);
      }
    };
    try {
      return await within(`the example to print ${pattern}`, search(), 30_000);
    } catch (error) {
      throw new Error(`It printed:\n${this.output}`, { cause: error });
    }
  }

  /** Ends it as Ctrl-C does. */
  async interrupt(): Promise<Deno.CommandStatus> {
    this.#child.kill("SIGINT");
    await within("the example to end", this.#reading, 30_000);
    return await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#reading;
    await this.#child.status;
  }
}

/** Makes an identity in a folder and gives its fingerprint. */
async function makeIdentity(home: string): Promise<string> {
  const secretKey = await openIdentities(home).ownKey(systemRandom);
  return fingerprintOf(nodeProvider, nodeProvider.signingKeyOf(secretKey));
}

Deno.test({
  name: "the example of docs/embedding.md serves who is on its list, and nobody else",
  // What ends it there is no signal.
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using temp = await TempFolder.make();
    const folder = await temp.folder("photos");
    const bytes = new Uint8Array(3_000_000).map((_, index) => index * 7 % 251);
    await Deno.writeFile(join(folder, "large"), bytes);
    await Deno.writeTextFile(join(folder, "note"), "hello");
    const homes = Object.fromEntries(
      await Promise.all(["ann", "bob", "eve"].map(async (name) => {
        const home = temp.at("homes", name);
        return [name, { home, fingerprint: await makeIdentity(home) }] as const;
      })),
    );
    const list = temp.at("list");
    const write = (...names: string[]) =>
      Deno.writeTextFile(list, names.map((name) => `${homes[name]!.fingerprint}\n`).join(""));
    await write("ann", "bob");

    await using serving = new ServingProgram([folder, list, temp.at("homes", "own"), "--loopback"]);
    const [, code] = await serving.printed(/^code (\S+)$/m);
    const take = (name: string, ...args: string[]) =>
      startReceive(code!, temp.at("in", name), {
        args: ["--yes", "--identity", "--home", homes[name]!.home, ...args],
      });

    await using ann = take("ann");
    await using eve = take("eve");
    // Slow enough to be there still when the list changes.
    await using bob = take("bob", "--limit", "200K");
    await ann.expectExit(0);
    await eve.expectExit(5);
    await bob.event("progress");
    await write("ann");
    await bob.expectExit(5);

    assert.deepEqual(await Deno.readFile(temp.at("in", "ann", "photos", "large")), bytes);
    assert.equal(await Deno.readTextFile(temp.at("in", "ann", "photos", "note")), "hello");
    await assert.rejects(Deno.stat(temp.at("in", "eve")), Deno.errors.NotFound);
    assert.deepEqual(eve.events.filter(({ event }) => event === "offer"), []);
    await assert.rejects(Deno.stat(temp.at("in", "bob", "photos", "large")), Deno.errors.NotFound);
    await serving.printed(/^\d: sent away$/m);
    await serving.interrupt();
    assert.match(serving.output, /^closed: 1 clients took 3000005 bytes$/m);
    assert.equal(serving.output.match(/: let in$/gm)?.length, 2);
    assert.equal(serving.output.match(/: refused$/gm)?.length, 1);
  },
});
