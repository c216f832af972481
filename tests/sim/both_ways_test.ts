/**
 * Goal: what a client gives goes as well as what it takes, at the same time, over lines that lose and
 * break; neither half's end touches the other; and a drop box takes from many at once.
 * Method: share() and receive() as a user calls them, in virtual time, with files in memory.
 */
import assert from "node:assert/strict";
import type {
  ClientReport,
  OfferDecision,
  ReceiveOptions,
  TakeOptions,
} from "../../lib/options.ts";
import type { OfferEvent } from "../../lib/events.ts";
import { receive } from "../../lib/receive.ts";
import { TAKING_WINDOW_BYTES } from "../../lib/transfer/limits.ts";
import { FakeStorage } from "../support/fake_storage.ts";
import type { Prng } from "../support/prng.ts";
import { assertArrived, ReconnectScene } from "../support/reconnect_scene.ts";
import type { Client, Sharer } from "../support/reconnect_scene.ts";
import { assertSameFakeTree } from "../support/same_fake_tree.ts";
import { seededTest } from "../support/seeded_test.ts";

const MIB = 1024 * 1024;
const GIFT = "/home/gift";
const BOX = "/home/box";
const FOLDER_TIME_MS = 1_600_000_000_000;

/** A client's files: one large, some small. */
function gift(prng: Prng, folder = GIFT): FakeStorage {
  const storage = new FakeStorage();
  storage.addFolder(folder, FOLDER_TIME_MS);
  storage.addFile(`${folder}/big.bin`, prng.bytes(5 * MIB + prng.integer(0, MIB)));
  for (let index = 0; index < 15; index++) {
    storage.addFile(`${folder}/small ${index}`, prng.bytes(prng.integer(1, 20_000)));
  }
  return storage;
}

/** Takes what is given, and counts who decided. */
function taking(decision: OfferDecision = { accept: true }) {
  const asked: { readonly offer: OfferEvent; readonly client: ClientReport }[] = [];
  const take: TakeOptions = {
    directory: BOX,
    decide: (offer, client) => {
      asked.push({ offer, client });
      return Promise.resolve(decision);
    },
  };
  return { take, asked };
}

function assertGiven(from: Client, to: Sharer, folder = GIFT): void {
  assertSameFakeTree(from.storage, folder, to.storage, `${BOX}/${folder.split("/").at(-1)}`);
  assert.equal(to.storage.openFiles, 0);
}

/** How each half ended, as `done` and `error` events say it. */
function endsOf({ log }: Client | Sharer): string[] {
  return log.told.flatMap(({ event }) => {
    if (event.event !== "done" && event.event !== "error") return [];
    const code = event.event === "done" ? "done" : event.code;
    return [`${event.back ? "back" : "forth"} ${code}`];
  });
}

/** The names of events that carry `back`. */
function backEvents({ log }: Client | Sharer): Set<string> {
  return new Set(
    log.told.flatMap(({ event }) => "back" in event && event.back ? [event.event] : []),
  );
}

seededTest("both ways at the same time over a line that loses", 6, async (seed) => {
  const scene = new ReconnectScene(seed, { lossRate: seed % 2 === 0 ? 0.02 : 0 });
  await scene.run(async () => {
    const { take, asked } = taking();
    const from = await scene.send({ take });
    const storage = gift(scene.world.prng);
    const to = scene.receive(from.sharing.code, { offer: [GIFT] }, storage);
    await to.log.first("progress", ({ back, bytesDone }) => back === true && bytesDone > MIB);
    await to.log.first("progress", ({ back, bytesDone }) => back !== true && bytesDone > MIB);
    assert.equal((await to.log.ended).event, "done");
    assert.equal((await from.log.ended).event, "done");
    assertGiven(to, from);
    storage.delete(GIFT);
    for (const path of storage.paths(GIFT)) storage.delete(path);
    await assertArrived(from, to);
    for (const side of [from, to]) {
      assert.deepEqual(endsOf(side).sort(), ["back done", "forth done"]);
      const told = backEvents(side);
      for (const event of ["offer", "progress", "file-done", "done"]) {
        assert.ok(told.has(event), event);
      }
      const files = side.log.of("file-done").filter(({ back }) => back);
      assert.equal(files.length, 16);
    }
    assert.equal(asked.length, 1);
    assert.equal(asked[0]!.offer.back, true);
    assert.deepEqual(asked[0]!.offer.names, ["gift"]);
    assert.equal(asked[0]!.client.session, 1);
    const [given] = to.log.of("done").filter(({ back }) => back);
    const [taken] = from.log.of("done").filter(({ back }) => back);
    assert.deepEqual([given!.bytes, given!.root, given!.items], [
      taken!.bytes,
      taken!.root,
      taken!.items,
    ]);
  });
});

seededTest(
  "a session that is lost in the middle of both halves goes on in both [AGAIN-4]",
  6,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const { take, asked } = taking();
      const from = await scene.send({ take });
      const storage = gift(scene.world.prng);
      let decisions = 0;
      const to = scene.receive(from.sharing.code, {
        offer: [GIFT],
        decide: () => {
          decisions++;
          return Promise.resolve({ accept: true });
        },
      }, storage);
      await to.log.first(
        "progress",
        ({ back, bytesDone }) => back === true && bytesDone > scene.world.prng.integer(1, 4) * MIB,
      );
      if (seed % 2 === 0) {
        to.process.sleep(scene.world.nowMs + 120_000);
        scene.rebind(to, { host: "10.0.7.7", port: 7777 });
      } else {
        scene.setLine(to, false);
        await scene.sleep(60_000);
        scene.setLine(to, true);
      }
      assert.equal((await to.log.ended).event, "done", JSON.stringify(to.log.told.slice(-4)));
      await from.log.ended;
      assertGiven(to, from);
      assert.deepEqual(endsOf(to).sort(), ["back done", "forth done"]);
      assert.equal(asked.length, 1);
      assert.equal(decisions, 1);
      // Said once on the side that takes.
      assert.equal(from.log.of("offer").filter(({ back }) => back).length, 1);
      assert.equal(to.log.of("offer").filter(({ back }) => !back).length, 1);
      const [taken] = from.log.of("done").filter(({ back }) => back);
      assert.ok(taken!.bytes > 5 * MIB);
      const here = from.storage.paths(BOX).filter((path) => path.includes(".p2pft-"));
      assert.deepEqual(here, []);
    });
  },
);

seededTest(
  "a session that is lost after one half was done tells of that half once",
  3,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const { take } = taking();
      const from = await scene.send({ take });
      const storage = gift(scene.world.prng);
      storage.addFile(`${GIFT}/huge.bin`, scene.world.prng.bytes(14 * MIB));
      const to = scene.receive(from.sharing.code, { offer: [GIFT] }, storage);
      await to.log.first("done", ({ back }) => !back);
      scene.setLine(to, false);
      await scene.sleep(60_000);
      scene.setLine(to, true);
      assert.equal((await to.log.ended).event, "done");
      assert.deepEqual(endsOf(to), ["forth done", "back done"]);
      await from.log.ended;
      assertGiven(to, from);
    });
  },
);

Deno.test("what is offered to a share that takes nothing is declined, and the rest goes on", async () => {
  const scene = new ReconnectScene(1);
  await scene.run(async () => {
    const from = await scene.send();
    const storage = gift(scene.world.prng);
    const to = scene.receive(from.sharing.code, { offer: [GIFT] }, storage);
    const last = await to.log.ended;
    assert.deepEqual(endsOf(to), ["back refused", "forth done", "back refused"]);
    assert.ok(last.event === "error" && last.fatal && last.exit === 5);
    await from.log.ended;
    assert.deepEqual(endsOf(from), ["forth done"]);
    assert.deepEqual(from.storage.paths(BOX), []);
    assert.ok(to.storage.get("/home/in/share/large.bin"));
  });
});

Deno.test("the sharer's person turns an offer down, and the rest goes on", async () => {
  const scene = new ReconnectScene(2);
  await scene.run(async () => {
    const { take, asked } = taking({ accept: false });
    const from = await scene.send({ take });
    const to = scene.receive(from.sharing.code, { offer: [GIFT] }, gift(scene.world.prng));
    await to.log.ended;
    await from.log.ended;
    assert.equal(asked.length, 1);
    assert.deepEqual(endsOf(from), ["back refused", "forth done"]);
    assert.deepEqual(endsOf(to), ["back refused", "forth done", "back refused"]);
    assert.deepEqual(from.storage.paths(BOX), []);
  });
});

Deno.test("the receiving person takes nothing, and gives all the same", async () => {
  const scene = new ReconnectScene(3);
  await scene.run(async () => {
    const { take } = taking();
    const from = await scene.share({ take });
    const to = scene.receive(from.sharing.code, {
      offer: [GIFT],
      decide: () => Promise.resolve({ accept: false }),
    }, gift(scene.world.prng));
    await to.log.ended;
    assert.deepEqual(endsOf(to), ["forth refused", "back done", "forth refused"]);
    await from.log.first("error");
    assertGiven(to, from);
    await from.sharing.close();
    assert.equal(to.storage.paths("/home/in").length, 0);
  });
});

seededTest(
  "a full disk of the sharer ends what it takes, and not what it gives",
  4,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const { take } = taking();
      const from = await scene.send({ take });
      from.storage.capacityBytes = scene.world.prng.integer(1, 4 * MIB);
      const to = scene.receive(from.sharing.code, { offer: [GIFT] }, gift(scene.world.prng));
      await to.log.ended;
      await from.log.ended;
      assert.deepEqual(endsOf(from), ["back disk_full", "forth done"]);
      assert.deepEqual(endsOf(to), ["back disk_full", "forth done", "back disk_full"]);
      assert.equal(from.storage.openFiles, 0);
      await assertTaken(from, to);
    });
  },
);

/** What was shared is there, whatever else is. */
async function assertTaken(from: Sharer, to: Client): Promise<void> {
  assertSameFakeTree(from.storage, "/home/share", to.storage, "/home/in/share");
  await Promise.resolve();
}

const GIVES: ReceiveOptions = { declines: true, offer: [GIFT] };

seededTest(
  "a drop box takes from several at once, also what has the same name",
  4,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const { take, asked } = taking();
      const from = await scene.share({ take }, { nothing: true });
      const { prng } = scene.world;
      const own = ["/home/a", "/home/b", "/home/c"];
      const clients = own.map((folder) =>
        scene.receive(from.sharing.code, { declines: true, offer: [folder] }, gift(prng, folder))
      );
      const same = [gift(prng), gift(prng)].map((storage) =>
        scene.receive(from.sharing.code, GIVES, storage)
      );
      for (const { log } of [...clients, ...same]) {
        const last = await log.ended;
        assert.ok(last.event === "done" && last.back, JSON.stringify(last));
      }
      for (const [index, client] of clients.entries()) assertGiven(client, from, own[index]);
      // One of two is there, whole, and the other was kept out file by file; never a mixture.
      for (const path of same[0]!.storage.paths(GIFT)) {
        const here = from.storage.get(path.replace(GIFT, `${BOX}/gift`));
        assert.ok(here, path);
        const sources = same.map(({ storage }) => storage.get(path)!.bytes);
        assert.ok(sources.some((bytes) => Buffer.compare(bytes, here.bytes) === 0), path);
      }
      assert.equal(asked.length, 5);
      assert.equal(from.storage.openFiles, 0);
      assert.deepEqual(from.storage.paths(BOX).filter((path) => path.includes(".p2pft-")), []);
      await from.sharing.close();
      const closed = await from.log.ended;
      assert.ok(closed.event === "closed" && closed.clients === 5, JSON.stringify(closed));
    });
  },
);

Deno.test("a drop box that is used up ends by itself, with what it took", async () => {
  const scene = new ReconnectScene(4);
  await scene.run(async () => {
    const { take } = taking();
    const from = await scene.send({ take }, { nothing: true });
    const to = scene.receive(from.sharing.code, GIVES, gift(scene.world.prng));
    await to.log.ended;
    const last = await from.log.ended;
    assert.ok(last.event === "done" && last.back && last.items === 17, JSON.stringify(last));
    assert.deepEqual(endsOf(to), ["back done"]);
    assert.deepEqual(endsOf(from), ["back done"]);
    assertGiven(to, from);
  });
});

Deno.test("without `decide` a share takes as receive() does: nothing is replaced, and no dot-names", async () => {
  const scene = new ReconnectScene(5);
  await scene.run(async () => {
    const from = await scene.share({ take: { directory: BOX } }, { nothing: true });
    from.storage.addFile(`${BOX}/gift/small 0`, "mine");
    const storage = gift(scene.world.prng);
    storage.addFile("/home/.ssh/authorized_keys", "evil");
    const to = scene.receive(
      from.sharing.code,
      { declines: true, offer: [GIFT, "/home/.ssh"] },
      storage,
    );
    await to.log.ended;
    assert.deepEqual(
      from.storage.get(`${BOX}/gift/small 0`)!.bytes,
      new TextEncoder().encode("mine"),
    );
    assert.deepEqual(from.storage.paths(`${BOX}/.ssh`), []);
    const codes = from.log.of("warning").filter(({ back }) => back).map(({ code }) => code);
    assert.deepEqual(codes.sort(), ["dot_name", "kept"]);
    await from.sharing.close();
    assert.equal((await from.log.ended).event, "closed");
  });
});

seededTest(
  "something may be offered late, from the keyboard, while the session lives",
  3,
  async (seed) => {
    const scene = new ReconnectScene(seed);
    await scene.run(async () => {
      const { take } = taking();
      const from = await scene.send({ take });
      const to = scene.receive(from.sharing.code, {}, gift(scene.world.prng));
      await scene.reached(to, scene.world.prng.integer(1, 7) * MIB);
      to.receiving.offer([GIFT]);
      assert.throws(() => to.receiving.offer([GIFT]), TypeError);
      assert.equal((await to.log.ended).event, "done");
      await from.log.ended;
      assertGiven(to, from);
      assert.deepEqual(endsOf(to).sort(), ["back done", "forth done"]);
    });
  },
);

Deno.test("a late offer that cannot be read is told, and may be made again", async () => {
  const scene = new ReconnectScene(6);
  await scene.run(async () => {
    const { take } = taking();
    const from = await scene.send({ take });
    const to = scene.receive(from.sharing.code, {}, gift(scene.world.prng));
    await scene.reached(to, MIB);
    to.receiving.offer(["/home/nowhere"]);
    await to.log.first("warning", ({ code, back }) => code === "not_offered" && back === true);
    to.receiving.offer({ text: "hello" });
    assert.equal((await to.log.ended).event, "done");
    await from.log.ended;
    const text = from.storage.get(`${BOX}/text.txt`);
    assert.deepEqual(text!.bytes, new TextEncoder().encode("hello"));
  });
});

Deno.test("a client has no more credit than its part, however slow the disk is [BACK-7]", async () => {
  const scene = new ReconnectScene(9);
  await scene.run(async () => {
    const { take } = taking();
    const from = await scene.share({ take }, { nothing: true });
    const { promise: isMended, resolve: mend } = Promise.withResolvers<void>();
    const { storage } = from;
    const createPart = storage.createPart.bind(storage);
    storage.createPart = async (target) => {
      const part = await createPart(target);
      const write = part.write.bind(part);
      part.write = async (offset, bytes) => {
        await isMended;
        await write(offset, bytes);
      };
      return part;
    };
    const files = new FakeStorage();
    files.addFile(`${GIFT}/big.bin`, scene.world.prng.bytes(12 * MIB));
    const to = scene.receive(from.sharing.code, GIVES, files);
    await from.log.first("progress", ({ bytesDone }) => bytesDone > 7 * MIB);
    await scene.sleep(20_000); // at 1 MiB/s all of it would be here
    const { bytesDone } = from.log.of("progress").at(-1)!;
    assert.ok(bytesDone <= TAKING_WINDOW_BYTES, `${bytesDone}`);
    mend();
    assert.equal((await to.log.ended).event, "done");
    await from.sharing.close();
    assertGiven(to, from);
  });
});

Deno.test("who only gives and is not let in learns why, and shows nothing of what it has", async () => {
  const scene = new ReconnectScene(7);
  await scene.run(async () => {
    const { take, asked } = taking();
    const from = await scene.share({ take, admit: () => Promise.resolve(false) }, {
      nothing: true,
    });
    const to = scene.receive(from.sharing.code, GIVES, gift(scene.world.prng));
    const last = await to.log.ended;
    assert.ok(last.event === "error" && last.code === "refused", JSON.stringify(last));
    await from.log.first("error");
    assert.deepEqual([asked.length, backEvents(from).size], [0, 0]);
    await from.sharing.close();
  });
});

Deno.test("a client of a drop box that gives nothing does not use it up", async () => {
  const scene = new ReconnectScene(8);
  await scene.run(async () => {
    const { take } = taking();
    const from = await scene.send({ take }, { nothing: true });
    const idle = scene.receive(from.sharing.code);
    assert.deepEqual(endsOf(idle), []);
    const last = await idle.log.ended;
    assert.ok(last.event === "done" && last.items === 0, JSON.stringify(last));
    const to = scene.receive(from.sharing.code, GIVES, gift(scene.world.prng));
    assert.equal((await to.log.ended).event, "done");
    await from.log.ended;
    assertGiven(to, from);
  });
});

Deno.test("receive() refuses to offer or decline what makes no sense", () => {
  assert.throws(() => receive("x", { declines: true }), TypeError);
  assert.throws(() => receive("x", { offer: { nothing: true } }), TypeError);
});

for (const isSame of [true, false]) {
  const what = isSame ? "is told what is given" : "is told nothing of what is given";
  Deno.test(`a drop box whose words are ${isSame ? "the same" : "others"} ${what} [BACK-1]`, () => {
    const scene = new ReconnectScene(1);
    return scene.run(async () => {
      const { take, asked } = taking();
      const from = await scene.share({ take, verify: true }, { nothing: true });
      const compared = Promise.withResolvers<boolean>();
      const to = scene.receive(from.sharing.code, {
        offer: [GIFT],
        declines: true,
        verify: true,
        confirmWords: () => compared.promise,
      }, gift(scene.world.prng));
      await to.log.first("words");
      // All that could be said while the person looks at them.
      await scene.sleep(5000);
      assert.deepEqual([asked.length, from.log.of("offer").filter(({ back }) => back)], [0, []]);
      compared.resolve(isSame);
      const last = await to.log.ended;
      if (isSame) {
        assert.ok(last.event === "done" && last.back, JSON.stringify(last));
        assertGiven(to, from);
      } else {
        assert.ok(last.event === "error" && last.code === "authentication_failed");
        assert.deepEqual([asked.length, from.log.of("offer").filter(({ back }) => back)], [0, []]);
      }
      await from.sharing.close();
    });
  });
}
