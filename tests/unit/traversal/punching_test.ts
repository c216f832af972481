import assert from "node:assert/strict";
import { ProbeCodec } from "../../../lib/crypto/probe.ts";
import { selectProvider } from "../../../lib/crypto/select_provider.ts";
import type { MappingClass } from "../../../lib/nat/mapping_class.ts";
import type { Path } from "../../../lib/nat/path.ts";
import type { PunchRole } from "../../../lib/nat/punch/plan.ts";
import { Punching } from "../../../lib/traversal/punching.ts";
import { MeetingWorld, ROUND_TRIP_MS } from "../../support/meeting_world.ts";
import { WatchedMachine } from "../../support/watched_machine.ts";

/** How long plain probes are tried before sockets are opened. */
const PLAIN_FIRST_MS = 500;
const SOCKET_COUNT = 256;

interface Side {
  readonly machine: WatchedMachine;
  readonly mapping: MappingClass;
}

/** Punches from one machine to another, with keys that both have. */
function punch(meeting: MeetingWorld, role: PunchRole, from: Side, to: Side) {
  const { clock, prng: random } = meeting.world;
  const provider = selectProvider();
  const key = new Uint8Array(32).fill(7);
  const heard: (Path & { readonly isAnswer: boolean })[] = [];
  const machine = from.machine;
  const punching = new Punching({
    live: machine.live,
    clock,
    extras: machine.extras,
    machine: {
      role,
      codec: new ProbeCodec(provider, key, key, random),
      random,
      sockets: [{ index: 0, family: 4 }],
      local: { mapping: from.mapping },
      remote: {
        mapping: to.mapping,
        candidates: [{ kind: "reflexive", address: to.machine.main.localAddress }],
      },
      lowHops: 2,
    },
    onHeard: (path, isAnswer) => void heard.push({ ...path, isAnswer }),
  });
  return { punching, heard };
}

function pair(
  meeting: MeetingWorld,
  mappings: readonly [MappingClass, MappingClass],
): [Side, Side] {
  return mappings.map((mapping) => ({
    machine: new WatchedMachine(meeting, "public"),
    mapping,
  })) as [Side, Side];
}

Deno.test("Punching tells of the path on which the other side was heard, and answered", async () => {
  const meeting = new MeetingWorld(1);
  const [sharer, client] = pair(meeting, ["endpoint_independent", "endpoint_independent"]);
  await meeting.run(async () => {
    const waiting = punch(meeting, "client", client, sharer);
    await meeting.sleep(10_000);
    const acting = punch(meeting, "sharer", sharer, client);
    await meeting.sleep(2 * ROUND_TRIP_MS);
    const toSharer = { socket: 0, remote: sharer.machine.main.localAddress };
    const toClient = { socket: 0, remote: client.machine.main.localAddress };
    for (const [side, path] of [[waiting, toSharer], [acting, toClient]] as const) {
      // Only an answer shows that somebody is there, so that is told, too.
      const [first, last, ...more] = side.heard;
      assert.deepEqual(last ?? first, { ...path, isAnswer: true });
      assert.deepEqual(first, { ...path, isAnswer: last === undefined });
      assert.deepEqual(more, []);
    }
    assert.equal(waiting.punching.methodOf(toSharer), "punched");
    for (const { punching } of [waiting, acting]) punching.stop();
    sharer.machine.close();
    client.machine.close();
  });
});

Deno.test("Punching.stop gives back every extra socket but the one a session uses", async () => {
  const meeting = new MeetingWorld(2);
  const [sharer, client] = pair(meeting, ["port_dependent_random", "endpoint_independent"]);
  const { extras, live } = sharer.machine;
  await meeting.run(async () => {
    const { punching } = punch(meeting, "sharer", sharer, client);
    await meeting.sleep(PLAIN_FIRST_MS - 10);
    assert.equal(extras.count, 0);
    await meeting.sleep(100);
    assert.equal(extras.count, SOCKET_COUNT);
    const kept = [...live.sockets.keys()].at(-7)!;
    punching.stop(kept);
    assert.equal(extras.count, 1);
    assert.deepEqual([...live.sockets.keys()], [0, kept]);
    punching.stop();
    assert.deepEqual([...live.sockets.keys()], [0]);
    sharer.machine.close();
    client.machine.close();
  });
});

Deno.test("Punching that ended while sockets were opened gives back those, too", async () => {
  const meeting = new MeetingWorld(3);
  const [sharer, client] = pair(meeting, ["endpoint_independent", "port_dependent_random"]);
  const { extras } = client.machine;
  await meeting.run(async () => {
    const { punching } = punch(meeting, "client", client, sharer);
    while (extras.count === 0) await Promise.resolve();
    assert.ok(extras.count < SOCKET_COUNT);
    punching.stop();
    await meeting.sleep(100);
    assert.equal(extras.count, 0);
    sharer.machine.close();
    client.machine.close();
  });
});

Deno.test("Punching that has stopped sends nothing", async () => {
  const meeting = new MeetingWorld(4);
  const [sharer, client] = pair(meeting, ["endpoint_independent", "endpoint_independent"]);
  await meeting.run(async () => {
    const { punching } = punch(meeting, "sharer", sharer, client);
    await meeting.sleep(300);
    let sent = 0;
    sharer.machine.main.onSent = () => void sent++;
    await meeting.sleep(1000);
    assert.ok(sent > 0);
    sent = 0;
    punching.stop();
    punching.stop();
    await meeting.sleep(60_000);
    assert.equal(sent, 0);
    sharer.machine.close();
    client.machine.close();
  });
});
