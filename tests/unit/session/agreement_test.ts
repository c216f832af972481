import assert from "node:assert/strict";
import { Agreement } from "../../../lib/session/agreement.ts";
import type { OfferEvent } from "../../../lib/events.ts";
import type { DifferingItem, OfferDecision, OverwritePolicy } from "../../../lib/options.ts";

const KEY = new Uint8Array(32).fill(1);
const DIGEST = new Uint8Array(32).fill(2);
const OFFER = { event: "offer", session: 1 } as OfferEvent;
const ITEM: DifferingItem = {
  path: "a",
  sizeBytes: 1,
  mtimeMs: 2,
  here: { kind: "file", sizeBytes: 3, mtimeMs: 4 },
};

/** Asks whenever it is called, and counts. */
function asker(answer: OfferDecision) {
  let count = 0;
  return {
    get count(): number {
      return count;
    },
    ask: () => {
      count++;
      return Promise.resolve(answer);
    },
  };
}

Deno.test("Agreement asks about words once for each key of the client", async () => {
  const agreement = new Agreement();
  let asked = 0;
  const ask = () => Promise.resolve(++asked === 1);
  assert.equal(await agreement.confirmWords(KEY, ask), true);
  assert.equal(await agreement.confirmWords(KEY.slice(), ask), true);
  assert.equal(asked, 1);
  // The sharer does not know this one, and compares words anew.
  assert.equal(await agreement.confirmWords(new Uint8Array(32), ask), false);
  assert.equal(asked, 2);
});

Deno.test("Agreement keeps a decision for the same offer, also while it is open", async () => {
  const agreement = new Agreement();
  const answer = Promise.withResolvers<OfferDecision>();
  let asked = 0;
  const ask = () => {
    asked++;
    return answer.promise;
  };
  assert.equal(agreement.recognise(() => DIGEST), false);
  const first = agreement.decide(OFFER, ask);
  agreement.noteLost(DIGEST);
  assert.equal(agreement.recognise(() => DIGEST.slice()), true);
  const second = agreement.decide(OFFER, ask);
  answer.resolve({ accept: true });
  assert.deepEqual([(await first).accept, (await second).accept, asked], [true, true, 1]);
});

Deno.test("Agreement forgets the decision when something else is offered [AGAIN-2]", async () => {
  const agreement = new Agreement();
  const person = asker({ accept: true });
  assert.equal(agreement.recognise(() => DIGEST), false);
  await agreement.decide(OFFER, person.ask);
  agreement.noteLost(DIGEST);
  agreement.noteLost(undefined); // lost once more before there was an offer
  assert.equal(agreement.recognise(() => new Uint8Array(32)), false);
  await agreement.decide(OFFER, person.ask);
  assert.equal(person.count, 2);
});

Deno.test("Agreement remembers what was chosen for a file until it is another one", async () => {
  const agreement = new Agreement();
  const policies: OverwritePolicy[] = ["always", "rename"];
  let asked = 0;
  const overwrite = () => policies[asked++]!;
  const decision = await agreement.decide(
    OFFER,
    () => Promise.resolve({ accept: true, overwrite }),
  );
  const choose = decision.overwrite;
  assert.ok(typeof choose === "function");
  assert.equal(await choose(ITEM), "always");
  assert.equal(await choose({ ...ITEM }), "always");
  assert.equal(await choose({ ...ITEM, here: { ...ITEM.here, mtimeMs: 5 } }), "rename");
  assert.equal(asked, 2);
});

Deno.test("Agreement asks again when nothing came of the first question [AGAIN-2]", async () => {
  const agreement = new Agreement();
  const failure = new Error("nobody is there any more");
  await assert.rejects(agreement.decide(OFFER, () => Promise.reject(failure)), failure);
  const { ask } = asker({ accept: true });
  assert.equal((await agreement.decide(OFFER, ask)).accept, true);
});
