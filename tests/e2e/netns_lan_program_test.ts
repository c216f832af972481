/**
 * Goal: on a local network without any Internet people find each other's shares by name, and take
 * them without a code.
 * Method: two processes of the program in two namespaces with one link. Needs root on Linux.
 */
import assert from "node:assert/strict";
import { CliProcess } from "../support/cli_process.ts";
import { type Namespace, Namespaces } from "../support/netns.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { pseudoTerminalProblem } from "../support/pseudo_terminal.ts";
import { TempFolder } from "../support/temp_folder.ts";
import { TerminalProgram } from "../support/terminal_program.ts";
import { assertSameTree, makeTree } from "../support/tree.ts";

const NOBODY = ["--json", "--stun", "none", "--no-portmap"];

async function twoMachines(namespaces: Namespaces): Promise<[Namespace, Namespace]> {
  const one = await namespaces.add("one");
  const two = await namespaces.add("two");
  await one.shell(`ip link add name eth0 type veth peer name eth0 netns ${two.name}`);
  await one.shell("ip address add 10.1.0.1/24 dev eth0; ip link set eth0 up");
  await two.shell("ip address add 10.1.0.2/24 dev eth0; ip link set eth0 up");
  return [one, two];
}

netnsTest("receive --lan takes the share that is announced under a name", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 5, fileBytes: 10_000 });
  await using namespaces = await Namespaces.open();
  const [one, two] = await twoMachines(namespaces);
  await using sharer = new CliProcess(
    ["share", ...NOBODY, "--yes", "--read-limit", "2", "--lan=Anna", temp.at("source", "tree")],
    { wrapper: one.wrapper },
  );
  assert.equal((await sharer.event("announced")).name, "Anna");
  const { code } = await sharer.event("code");
  // On another machine, and on the same one.
  for (const [index, machine] of [two, one].entries()) {
    const target = temp.at(`target${index}`);
    await using receiver = new CliProcess(["receive", ...NOBODY, "--lan=Anna", "-o", target], {
      wrapper: machine.wrapper,
    });
    const { shares } = await receiver.event("shares");
    assert.deepEqual(shares.map(({ name, code }) => ({ name, code })), [{ name: "Anna", code }]);
    assert.ok(shares[0]!.addresses.includes("10.1.0.1"), `${shares[0]!.addresses}`);
    await receiver.expectExit(0);
    await assertSameTree(target, temp.at("source"));
  }
  await sharer.expectExit(0);

  // It said goodbye.
  await using late = new CliProcess(["receive", ...NOBODY, "--lan=Anna", "-o", temp.at("late")], {
    wrapper: two.wrapper,
  });
  await late.expectExit(21);
  assert.match((await late.event("error")).message, /Cannot find a share called Anna/);
});

netnsTest(
  "share is announced no more when its time is up, while somebody still takes it",
  async () => {
    await using temp = await TempFolder.make();
    await makeTree(temp.at("source", "tree"), { files: 1, fileBytes: 10_000_000 });
    await using namespaces = await Namespaces.open();
    const [one, two] = await twoMachines(namespaces);
    const slow = ["--expires", "8s", "--limit", "100k"];
    await using sharer = new CliProcess(
      ["share", ...NOBODY, "--yes", "--lan=Anna", ...slow, temp.at("source", "tree")],
      { wrapper: one.wrapper },
    );
    const { code } = await sharer.event("code");
    const receive = (name: string, ...words: string[]) =>
      new CliProcess(["receive", ...NOBODY, "-o", temp.at(name), ...words], {
        wrapper: two.wrapper,
      });
    await using inTime = receive("in time", code);
    await inTime.event("progress");
    assert.equal((await sharer.event("closing")).clients, 1);
    await using late = receive("late", "--lan=Anna");
    await late.expectExit(21);
    assert.deepEqual(sharer.eventsNamed("closed"), [], "it still runs");
  },
);

netnsTest("receive without a code lists what is announced, and takes a number", async () => {
  await using temp = await TempFolder.make();
  await makeTree(temp.at("source", "tree"), { files: 5, fileBytes: 10_000 });
  await using namespaces = await Namespaces.open();
  const [one, two] = await twoMachines(namespaces);
  const announce = (name: string, machine: Namespace) =>
    new CliProcess(
      ["share", ...NOBODY, "--yes", "--once", `--lan=${name}`, temp.at("source", "tree")],
      { wrapper: machine.wrapper },
    );
  await using anna = announce("Anna", one);
  await anna.event("announced");
  await using receiver = new TerminalProgram(
    ["receive", "--stun", "none", "--no-portmap", "-o", temp.at("target")],
    { wrapper: two.wrapper },
  );
  await receiver.shows("Shares on the local network:");
  await receiver.shows(/^ {2}1 {2}Anna {2}\(.*10\.1\.0\.1/);
  // An own one comes and goes while the person looks.
  await using ben = announce("Ben", two);
  await receiver.shows(/^ {2}2 {2}Ben {2}\(.*10\.1\.0\.2/);
  ben.kill("SIGINT");
  await receiver.shows("  2  Ben is gone");
  await receiver.type("2\n");
  await receiver.shows("Ben is gone.");
  await receiver.type("1\n");
  await receiver.shows("? [Y/n]");
  await receiver.type("\n");
  await receiver.expectExit(0);
  await anna.expectExit(0);
  await assertSameTree(temp.at("target"), temp.at("source"));
}, pseudoTerminalProblem());
