/** The combinations of what lets a client in are in tests/sim/share_admission_test.ts. */
import assert from "node:assert/strict";
import { Admission, type AdmissionClient } from "../../../lib/sharing/admission.ts";
import type { ClientRequest, ShareOptions } from "../../../lib/options.ts";
import { Places } from "../../../lib/sharing/places.ts";
import { QuestionTurns } from "../../../lib/sharing/question_turns.ts";

/** A share whose questions are answered by hand. */
class Door {
  readonly places: Places;
  readonly turns: QuestionTurns;
  readonly options: Pick<ShareOptions, "admit" | "private">;
  readonly asked: (PromiseWithResolvers<boolean> & { readonly request: ClientRequest })[] = [];
  readonly told: string[] = [];

  constructor(count: number, isPrivate = false) {
    this.places = new Places({ atOnce: count, reads: Infinity, onFree: () => this.turns.update() });
    this.turns = new QuestionTurns(() => this.places.free);
    this.options = {
      private: isPrivate,
      admit: (request) => {
        const answer = Promise.withResolvers<boolean>();
        this.asked.push({ ...answer, request });
        return answer.promise;
      },
    };
  }

  client(session: number, more: Partial<AdmissionClient> = {}): Admission {
    return new Admission(this, {
      session,
      address: `192.0.2.${session}:1`,
      host: `192.0.2.${session}`,
      identity: () => undefined,
      isAllowed: () => false,
      comesAgain: false,
      hasPlace: false,
      isInvited: false,
      onWaits: () => this.told.push(`${session} waits`),
      onWords: (words) => this.told.push(`${session} ${words.join(" ")}`),
      ...more,
    });
  }
}

/** Lets what was resolved be taken note of. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

Deno.test("Admission asks about a client without holding a place for it", async () => {
  const door = new Door(1);
  const asked = door.client(1);
  const answer = asked.decide(undefined);
  await settle();
  assert.equal(asked.state, "asking");
  // Who needs no question does not wait behind one.
  const invited = door.client(2, { isInvited: true });
  assert.equal(invited.decide(undefined), "reply");
  door.asked[0]!.resolve(true);
  await settle();
  assert.equal(asked.state, "waiting");
  assert.deepEqual(door.told, ["1 waits"]);
  invited.end(true);
  assert.equal(await answer, "yes");
  assert.equal(asked.state, "in");
  assert.equal(door.places.free, 0);
});

Deno.test("Admission withdraws a question whose client was invited meanwhile", async () => {
  const door = new Door(2);
  const client = door.client(1);
  const answer = client.decide(undefined);
  await settle();
  const { request } = door.asked[0]!;
  assert.equal(request.signal.aborted, false);
  client.invite();
  assert.equal(await answer, "reply");
  assert.equal(request.signal.aborted, true);
  // An answer that comes too late, or fails, is nobody's.
  door.asked[0]!.reject(new Error("too late"));
  await settle();
});

Deno.test("Admission asks about the words of a client that is invited", async () => {
  const door = new Door(2);
  const client = door.client(1, { isInvited: true });
  const answer = client.decide(["a", "b", "c"]);
  await settle();
  assert.deepEqual(door.told, ["1 a b c"]);
  assert.deepEqual(door.asked[0]!.request.words, ["a", "b", "c"]);
  client.invite();
  await settle();
  assert.equal(door.asked[0]!.request.signal.aborted, false, "its code says nothing of words");
  door.asked[0]!.resolve(false);
  assert.equal(await answer, undefined);
});

Deno.test("Admission of a client that leaves ends its question and its waiting", async () => {
  const door = new Door(1);
  const leaving = door.client(1);
  const answer = leaving.decide(undefined);
  const next = door.client(2);
  const nextAnswer = next.decide(undefined);
  await settle();
  assert.equal(door.asked.length, 1, "there is one place");
  leaving.end(false);
  assert.equal(await answer, undefined);
  assert.equal(door.asked[0]!.request.signal.aborted, true);
  await settle();
  assert.equal(door.asked.length, 2);
  door.asked[1]!.resolve(true);
  assert.equal(await nextAnswer, "yes");
  const waiting = door.client(3, { isInvited: true });
  const waited = waiting.decide(undefined);
  waiting.end(false);
  assert.equal(await waited, undefined);
  next.end(true);
  assert.equal(door.places.free, 1, "nobody got the place");
});

Deno.test("Admission fails as the answer does, and asks about the next", async () => {
  const door = new Door(1);
  const first = door.client(1);
  const answer = first.decide(undefined);
  const second = door.client(2);
  void second.decide(undefined);
  await settle();
  door.asked[0]!.reject(new Error("no directory"));
  await assert.rejects(Promise.resolve(answer), /no directory/);
  await settle();
  assert.equal(door.asked.length, 2);
});

Deno.test("Admission passes a place on to the session that goes on, once", () => {
  const door = new Door(1);
  const before = door.client(1, { isInvited: true });
  assert.equal(before.decide(undefined), "reply");
  assert.equal(before.passOn(), true);
  assert.equal(door.places.free, 0);
  const again = door.client(2, { comesAgain: true, hasPlace: true });
  assert.equal(again.decide(undefined), "again");
  again.end(false);
  again.end(false);
  assert.equal(door.places.free, 1);
});

Deno.test("Admission gives the place of a silent client away, and back if there is one", () => {
  const door = new Door(1);
  const silent = door.client(1, { isInvited: true });
  assert.equal(silent.decide(undefined), "reply");
  silent.offerPlace();
  assert.equal(silent.keepPlace(), true);
  assert.equal(door.places.free, 0);
  silent.offerPlace();
  const other = door.client(2, { isInvited: true });
  assert.equal(other.decide(undefined), "reply");
  assert.equal(silent.keepPlace(), false);
  assert.equal(silent.passOn(), false);
  other.end(false);
  assert.equal(door.places.free, 1);
});
