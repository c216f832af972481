/**
 * Goal: a share lets in exactly those that its options let in, by what the event says, and whoever is
 * not let in is told so and sees nothing of the share.
 * Method: every combination of how a client comes, how the share decides, what its person answers and
 * whether words are compared, each in a world of its own, against a table that is written down here
 * from the documents; whole programs in virtual time.
 */
import assert from "node:assert/strict";
import type { AdmittedBy } from "../../lib/events.ts";
import type { ClientRequest, ReceiveOptions, ShareOptions } from "../../lib/options.ts";
import { Person } from "../support/identity_people.ts";
import { assertArrived, MeetingWorld, type ReceivingSide } from "../support/meeting_world.ts";

/** How the client comes. */
const CLIENTS = [
  "stranger",
  "invited",
  "invited late",
  "identity: stranger",
  "identity: known",
  "identity: always",
  "identity: allowed by name",
  "identity: allowed by fingerprint",
  "identity: other key of an allowed name",
] as const;

/** What becomes of the question; without one nobody is there to be asked. */
const ANSWERS = ["nobody", "yes", "no", "late yes", "never"] as const;

type ClientKind = typeof CLIENTS[number];
type Answer = typeof ANSWERS[number];

interface Case {
  readonly client: ClientKind;
  readonly answer: Answer;
  readonly isPrivate: boolean;
  readonly hasWords: boolean;
}

/** What docs/cli.md and docs/identities.md say becomes of it. */
function expected({ client, answer, isPrivate, hasWords }: Case): AdmittedBy | "refused" | "waits" {
  const isInvited = client === "invited" || client === "invited late";
  const isAllowed = client === "identity: allowed by name" ||
    client === "identity: allowed by fingerprint";
  // A private share is for pasted codes and for those of its own list, whoever else is always let in.
  const isKnown = isInvited || isAllowed || (client === "identity: always" && !isPrivate);
  if (isPrivate && !isKnown) return "waits";
  const unasked = isInvited ? "reply" : isAllowed || isKnown ? "identity" : "code";
  const isAsked = answer !== "nobody" && (hasWords || !isKnown);
  if (!isAsked) return unasked;
  switch (answer) {
    case "yes":
    case "late yes":
      return "yes";
    case "no":
      return "refused";
    default:
      return "waits";
  }
}

/** Whoever was not let in knows no name, no size and no count of what is shared. */
function assertToldNothing({ log, storage }: ReceivingSide): void {
  for (const event of ["offer", "progress", "file-done", "done"] as const) {
    assert.deepEqual(log.of(event), []);
  }
  assert.deepEqual(storage.paths("/"), []);
}

/** The share's person, who knows the client or does not. */
async function ownerFor(
  { client }: Case,
  friend: Person,
  meeting: MeetingWorld,
): Promise<ShareOptions> {
  const random = meeting.world.prng;
  const owner = await Person.make(random);
  const other = await Person.make(random);
  if (client === "identity: known") await owner.remember("bob", friend.publicKey);
  if (client === "identity: always") {
    await owner.remember("bob", friend.publicKey, { isAlwaysAdmitted: true });
  }
  const identity = owner.shown;
  switch (client) {
    case "identity: allowed by name":
      await owner.remember("bob", friend.publicKey);
      return { identity, allow: ["bob"] };
    case "identity: allowed by fingerprint":
      return { identity, allow: [friend.fingerprint] };
    case "identity: other key of an allowed name":
      await owner.remember("bob", other.publicKey, { isAlwaysAdmitted: true });
      return { identity, allow: ["bob"] };
    default:
      return client.startsWith("identity") ? { identity } : {};
  }
}

function check(one: Case): Promise<void> {
  const meeting = new MeetingWorld(CLIENTS.indexOf(one.client) + 1);
  return meeting.run(async () => {
    const { client, answer, isPrivate, hasWords } = one;
    const friend = await Person.make(meeting.world.prng);
    const asked: ClientRequest[] = [];
    const late = Promise.withResolvers<boolean>();
    const admit = (request: ClientRequest) => {
      asked.push(request);
      return answer === "late yes" || answer === "never"
        ? late.promise
        : Promise.resolve(answer === "yes");
    };
    // Who gets through by itself shows its reply code only where the share is private.
    const isBehindNat = client.startsWith("invited") && !(isPrivate && client === "invited late");
    const from = await meeting.share(isBehindNat ? meeting.home() : "public", {
      ...await ownerFor(one, friend, meeting),
      bytes: 1000,
      private: isPrivate,
      verify: hasWords,
      ...(answer === "nobody" ? {} : { admit }),
    });
    const options: ReceiveOptions = {
      verify: hasWords,
      ...(client.startsWith("identity") ? { identity: friend.shown } : {}),
    };
    const to = meeting.receive(meeting.home(), from.sharing.code, options);
    if (client.startsWith("invited")) {
      const { event: { code } } = await to.log.first("reply-code");
      if (client === "invited late") await meeting.sleep(20_000);
      from.sharing.addReply(code);
    }
    await meeting.sleep(30_000);
    if (answer === "late yes") late.resolve(true);
    await meeting.sleep(30_000);

    const outcome = expected(one);
    const told = from.log.of("admission").map(({ admitted, by }) => by ?? admitted);
    if (outcome === "waits") {
      assert.deepEqual(told, []);
      assertToldNothing(to);
      const [report] = from.sharing.clients;
      const isAsked = asked.length > 0;
      assert.equal(report?.state, isAsked ? "asking" : "waiting");
    } else if (outcome === "refused") {
      assert.deepEqual(told, [false]);
      assertToldNothing(to);
      const last = await to.log.ended;
      assert.ok(last.event === "error" && last.code === "refused", JSON.stringify(last));
    } else {
      assert.deepEqual(told, [outcome]);
      await assertArrived(from, to);
    }
    assertAsked(asked, one, friend);
    const words = [from, to].map(({ log }) => log.of("words").map(({ words }) => words));
    const isWordless = !hasWords || (outcome === "waits" && asked.length === 0);
    assert.equal(words[0]!.length, isWordless ? 0 : 1);
    if (!isWordless) assert.deepEqual(words[0], words[1]);
    await from.sharing.close();
    const closed = await from.log.ended;
    assert.ok(closed.event === "closed" && closed.reason === "closed", JSON.stringify(closed));
    assert.equal(closed.clients, from.log.of("done").length);
  });
}

/** Somebody was asked once at most, and knew then who it is about. */
function assertAsked(asked: readonly ClientRequest[], one: Case, friend: Person): void {
  const outcome = expected(one);
  const isInvitedAfterAll = one.client.startsWith("invited") || one.client.includes("allowed by");
  const isAsked = outcome === "yes" || outcome === "refused" ||
    (outcome === "waits" && (!one.isPrivate || isInvitedAfterAll));
  assert.equal(asked.length, isAsked ? 1 : 0);
  const [request] = asked;
  if (request === undefined) return;
  assert.equal(request.words !== undefined, one.hasWords);
  assert.equal(
    request.identity?.fingerprint,
    one.client.startsWith("identity") ? friend.fingerprint : undefined,
  );
  const recognition = one.client === "identity: known" || one.client === "identity: always" ||
      one.client === "identity: allowed by name"
    ? "known"
    : "stranger";
  if (request.identity) assert.equal(request.identity.recognition, recognition);
  // Nobody needs an answer any more: it was given, or its client has been let in otherwise.
  assert.equal(request.signal.aborted, outcome !== "waits");
}

for (const client of CLIENTS) {
  Deno.test(`who is let in, and by what: ${client}`, async () => {
    for (const answer of ANSWERS) {
      for (const isPrivate of [false, true]) {
        for (const hasWords of [false, true]) {
          const one = { client, answer, isPrivate, hasWords };
          try {
            await check(one);
          } catch (cause) {
            throw new Error(`Failed: ${JSON.stringify(one)}`, { cause });
          }
        }
      }
    }
  });
}
