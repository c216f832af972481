import assert from "node:assert/strict";
import type { LocalInterface } from "../../../lib/rendezvous/local_candidates.ts";
// Loaded on demand there; a disk's time would be none of the simulated time's.
import "../../../lib/portmap/port_mapping.ts";
import { CLIENT_HOST, FakeHome } from "../../support/fake_router.ts";
import {
  HARD_NAT,
  MeetingWorld,
  ROUND_TRIP_MS,
  STEPPING_NAT,
} from "../../support/meeting_world.ts";
import { WatchedMachine } from "../../support/watched_machine.ts";

/** Own network and turns. */
const SLACK_MS = 5;

Deno.test("NetworkWatch that may ask nobody is settled at once and says so", async () => {
  const meeting = new MeetingWorld(1);
  const machine = new WatchedMachine(meeting, meeting.home());
  await meeting.run(async () => {
    const watch = machine.watch({ stunServers: [] });
    await watch.settled;
    assert.equal(meeting.world.nowMs, 0);
    assert.deepEqual(watch.takeNews(), {
      event: "network",
      mapping: "unknown",
      reflexive: [],
      stun: "off",
    });
    await watch.close();
    machine.close();
  });
});

Deno.test("NetworkWatch knows after one round trip how a common NAT shows the machine", async () => {
  const meeting = new MeetingWorld(1);
  const home = meeting.home();
  const machine = new WatchedMachine(meeting, home);
  await meeting.run(async () => {
    let changes = 0;
    const watch = machine.watch({ onChange: () => void changes++ });
    assert.equal(watch.takeNews(), undefined);
    await watch.settled;
    assert.ok(meeting.world.nowMs <= ROUND_TRIP_MS + SLACK_MS, `${meeting.world.nowMs} ms`);
    assert.ok(changes > 0);
    const { reflexive, mapping, bound } = watch.known;
    assert.equal(mapping, "endpoint_independent");
    assert.deepEqual(reflexive, [{ family: 4, host: home.router.externalHost, port: 4000 }]);
    assert.deepEqual(bound, [machine.main.localAddress]);
    assert.equal(watch.isDoubleNat, false);
    await watch.close();
    machine.close();
  });
});

for (
  const [nat, mapping] of [
    [STEPPING_NAT, "port_dependent_stepping"],
    [HARD_NAT, "port_dependent_random"],
  ] as const
) {
  Deno.test(`NetworkWatch takes sockets to tell ${mapping}, and gives them back`, async () => {
    const meeting = new MeetingWorld(2);
    const machine = new WatchedMachine(meeting, meeting.home(nat));
    await meeting.run(async () => {
      const watch = machine.watch();
      await watch.settled;
      assert.equal(watch.mapping, mapping);
      assert.ok(meeting.world.nowMs <= 2 * (ROUND_TRIP_MS + SLACK_MS), `${meeting.world.nowMs} ms`);
      assert.ok(machine.extras.count > 0);
      const newest = watch.report.ports.newestPort;
      const isNewest = watch.known.reflexive[0]!.port === newest;
      assert.equal(isNewest, mapping === "port_dependent_stepping");
      await meeting.sleep(3100);
      assert.equal(machine.extras.count, 0);
      await watch.close();
      machine.close();
    });
  });
}

Deno.test("NetworkWatch.freshPort tells each asker of its own socket", async () => {
  const meeting = new MeetingWorld(3);
  const machine = new WatchedMachine(meeting, meeting.home());
  await meeting.run(async () => {
    const watch = machine.watch();
    await watch.settled;
    const sockets = await machine.extras.take(4, 3);
    const ports = sockets.map((index) => machine.live.sockets.get(index)!.localAddress.port);
    const seen = await Promise.all(sockets.map((index) => watch.freshPort(index, 400)));
    // This NAT keeps ports as they are.
    assert.deepEqual(seen.map((address) => address?.port), ports);
    await watch.close();
    assert.equal(await watch.freshPort(sockets[0]!, 400), undefined);
    machine.close();
  });
});

Deno.test("NetworkWatch.freshPort is given up when nobody answers, or at the end", async () => {
  const meeting = new MeetingWorld(4);
  const machine = new WatchedMachine(meeting, meeting.home());
  await meeting.run(async () => {
    const watch = machine.watch({ stunServers: ["46.0.0.1"] });
    await watch.settled;
    assert.equal(meeting.world.nowMs, 1500);
    const sockets = await machine.extras.take(4, 2);
    assert.equal(await watch.freshPort(sockets[0]!, 400), undefined);
    assert.equal(meeting.world.nowMs, 1900);
    const late = watch.freshPort(sockets[1]!, 400);
    await watch.close();
    assert.equal(await late, undefined);
    assert.equal(meeting.world.nowMs, 1900);
    machine.close();
  });
});

Deno.test("NetworkWatch notices within ten seconds that interfaces have changed", async () => {
  const meeting = new MeetingWorld(5);
  const machine = new WatchedMachine(meeting, meeting.home());
  await meeting.run(async () => {
    let interfaces: readonly LocalInterface[] = [{ name: "eth0", address: "192.168.1.2" }];
    const changedMs: number[] = [];
    const watch = machine.watch({
      stunServers: [],
      interfaces: () => interfaces,
      onChange: () => void changedMs.push(meeting.world.nowMs),
    });
    await meeting.sleep(25_000);
    assert.deepEqual(changedMs, []);
    interfaces = [{ name: "wlan0", address: "10.1.2.3" }];
    await meeting.sleep(25_000);
    assert.deepEqual(changedMs, [30_000]);
    assert.deepEqual(watch.known.interfaces, interfaces);
    await watch.close();
    machine.close();
  });
});

Deno.test("NetworkWatch keeps a mapping alive until it is closed, then sends nothing", async () => {
  const meeting = new MeetingWorld(6);
  const machine = new WatchedMachine(meeting, meeting.home());
  await meeting.run(async () => {
    const watch = machine.watch();
    await watch.settled;
    let sent = 0;
    machine.main.onSent = () => void sent++;
    await meeting.sleep(61_000);
    assert.equal(sent, 3);
    await watch.close();
    await watch.close();
    watch.refresh();
    await meeting.sleep(60_000);
    assert.equal(sent, 3);
    machine.close();
  });
});

Deno.test("NetworkWatch.close ends the look-ups of names", async () => {
  const meeting = new MeetingWorld(7);
  const machine = new WatchedMachine(meeting, meeting.home());
  const signals: (AbortSignal | undefined)[] = [];
  await meeting.run(async () => {
    const watch = machine.watch({
      stunServers: ["dead.example", "other.example"],
      resolve: (_name, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    });
    await meeting.sleep(100);
    assert.deepEqual(signals.map((signal) => signal?.aborted), [false, false]);
    await watch.close();
    assert.deepEqual(signals.map((signal) => signal?.aborted), [true, true]);
    machine.close();
  });
});

Deno.test("NetworkWatch tells changes of the mapped port once a second, the newest at last", async () => {
  const meeting = new MeetingWorld(8);
  const machine = new WatchedMachine(meeting, meeting.home());
  const home = new FakeHome(meeting.world);
  home.router.speaks = { pcp: true, natPmp: false, upnp: false };
  const told: string[] = [];
  const answers: Uint8Array[] = [];
  home.router.onSend = (answer) => {
    answers.push(answer);
    return answer;
  };
  await meeting.run(async () => {
    const watch = machine.watch({
      stunServers: [],
      portMapping: true,
      portMapNetwork: home.network,
      interfaces: () => [{ name: "eth0", address: CLIENT_HOST }],
      onChange: () => told.push(watch.takeNews()?.mapped ?? "none"),
    });
    await watch.settled;
    assert.deepEqual(told, ["203.0.113.7:4000"]);
    // The router has another mind every 50 ms.
    for (let port = 5001; port <= 5060; port++) {
      home.router.say(answers[0]!.with(42, port >> 8).with(43, port & 255));
      await meeting.sleep(50);
    }
    await meeting.sleep(1000);
    assert.equal(told.at(-1), "203.0.113.7:5060");
    assert.ok(told.length >= 3 && told.length <= 5, told.join(" "));
    await watch.close();
    const count = told.length;
    await meeting.sleep(5000);
    assert.equal(told.length, count);
    machine.close();
  });
});
