/**
 * Goal: a client and a sharer find each other as programs do whose sockets are the system's: from
 * the main socket, whose address is in the codes, and from hundreds of further ones where a NAT's
 * ports cannot be foreseen; and what was opened is given back.
 * Method: the two searches of `lib/traversal` on endpoints in virtual time. What happens in a session
 * is tried elsewhere (`meeting_test.ts`).
 */
import assert from "node:assert/strict";
import { shareCommitment } from "../../lib/crypto/commitment.ts";
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import { deriveShareKeys } from "../../lib/crypto/share_keys.ts";
import type { PathMethod } from "../../lib/nat/path_method.ts";
import type { Connection } from "../../lib/protocol/connection.ts";
import { chooseCodeCandidates } from "../../lib/rendezvous/code_candidates.ts";
import { decodeReplyCode } from "../../lib/rendezvous/reply_code.ts";
import { ClientSearch } from "../../lib/traversal/client_search.ts";
import type { OfferedReply } from "../../lib/traversal/reply_offer.ts";
import { SharerSearch } from "../../lib/traversal/sharer_search.ts";
import type { NatBoxOptions } from "../support/nat_box.ts";
import { HARD_NAT, MeetingWorld, STEPPING_NAT } from "../support/meeting_world.ts";
import { SprayBudgets } from "../../lib/traversal/spray_budgets.ts";
import { seededTest } from "../support/seeded_test.ts";
import { WatchedMachine } from "../support/watched_machine.ts";

type Nat = Omit<NatBoxOptions, "externalHost">;

const EASY: Nat = {};
const BY_ADDRESS: Nat = {
  mapping: "address_dependent",
  filtering: "address_dependent",
  ports: "random",
};

/** A sharer that listens, and knows how it is seen from outside. */
async function openSharer(meeting: MeetingWorld, nat: Nat) {
  const provider = selectProvider();
  const { clock, prng: random } = meeting.world;
  const machine = new WatchedMachine(meeting, meeting.home(nat));
  const watch = machine.watch();
  await watch.settled;
  const staticKeys = provider.generateKeyPair(random);
  const t = shareCommitment(provider, staticKeys.publicKey);
  const keys = deriveShareKeys(provider, t);
  const candidates = chooseCodeCandidates(watch.known);
  const { live, extras } = machine;
  live.endpoint.listen({ t, staticKeys });
  const code = { t, mappingClass: watch.mapping, candidates };
  const search = (text: string): ClientSearch => {
    const decoded = decodeReplyCode(text, keys, { allowLoopback: false });
    assert.ok(decoded.ok);
    return new ClientSearch({
      live,
      clock,
      random,
      provider,
      extras,
      budgets: new SprayBudgets(),
      watch,
      t,
      keys,
      own: { candidates },
      reply: decoded.code,
      onExhausted: () => {},
    });
  };
  return { machine, watch, code, search };
}

/** A client that tries the sharer's addresses and then shows a reply code. */
function openClient(
  meeting: MeetingWorld,
  nat: Nat,
  share: Awaited<ReturnType<typeof openSharer>>["code"],
) {
  const provider = selectProvider();
  const { clock, prng: random } = meeting.world;
  const machine = new WatchedMachine(meeting, meeting.home(nat));
  const { live, extras } = machine;
  const connect = (): Uint8Array => {
    const staticKeys = provider.generateKeyPair(random);
    const paths = live.pathsTo(share.candidates.map(({ address }) => address));
    const request = new Uint8Array(0);
    live.endpoint.connect(clock.now(), { t: share.t, staticKeys, paths, request });
    live.wake();
    return staticKeys.publicKey;
  };
  const reply = Promise.withResolvers<OfferedReply>();
  const search = new SharerSearch({
    tools: { live, clock, random, provider, extras, budgets: new SprayBudgets() },
    help: { stunServers: meeting.stunServers, portMapping: false },
    interfaces: () => [],
    allowLoopback: false,
    share,
    clientKey: connect(),
    renewKey: connect,
    onReply: reply.resolve,
    onImpossible: (offer) => reply.reject(new Error(offer.outlook.advice?.text)),
    onNetwork: () => {},
    onHeard: (path, isAnswer) => {
      live.endpoint.addConnectPath(clock.now(), path, isAnswer);
      live.wake();
    },
  });
  return { machine, search, reply: reply.promise };
}

/** The first session of a machine. */
function session(machine: WatchedMachine): Promise<Connection> {
  return new Promise((resolve) => {
    machine.onEvent = (event) => {
      if (event.type === "accepted" || event.type === "connected") resolve(event.connection);
    };
  });
}

/** Sharer, client, and how they meet. */
const PAIRS: readonly (readonly [string, Nat, string, Nat, PathMethod])[] = [
  ["common", EASY, "common", EASY, "punched"],
  ["common", EASY, "stepping", STEPPING_NAT, "predicted"],
  ["stepping", STEPPING_NAT, "common", EASY, "predicted"],
  ["stepping", STEPPING_NAT, "stepping", STEPPING_NAT, "predicted"],
  ["common", EASY, "random", HARD_NAT, "birthday"],
  ["random", HARD_NAT, "common", EASY, "birthday"],
  ["common", EASY, "address-dependent", BY_ADDRESS, "birthday"],
  ["address-dependent", BY_ADDRESS, "common", EASY, "birthday"],
  ["address-dependent", BY_ADDRESS, "address-dependent", BY_ADDRESS, "birthday"],
];

for (const [sharerName, sharerNat, clientName, clientNat, expected] of PAIRS) {
  const name = `a sharer behind a ${sharerName} NAT finds a client behind a ${clientName} one`;
  seededTest(name, 6, async (seed) => {
    const meeting = new MeetingWorld(seed, { hasAlternates: true });
    await meeting.run(async () => {
      const sharer = await openSharer(meeting, sharerNat);
      const client = openClient(meeting, clientNat, sharer.code);
      const sessions = [session(sharer.machine), session(client.machine)] as const;
      const reply = await client.reply;
      assert.equal(reply.outlook.method, expected);
      await meeting.sleep(meeting.world.prng.integer(0, 60_000));
      const search = sharer.search(reply.code);
      assert.equal(search.outlook.method, expected);
      void search.begin();
      const limitMs = expected === "birthday" ? 10_000 : 1000;
      const late = meeting.sleep(limitMs).then(() => assert.fail(`no session in ${limitMs} ms`));
      const accepted = await Promise.race([sessions[0], late]);
      const connected = await Promise.race([sessions[1], late]);
      const isWithin = [expected, "punched"]; // a lucky port is no surprise
      assert.ok(isWithin.includes(search.methodOf(accepted.path)!));
      assert.ok(isWithin.includes(client.search.methodOf(connected.path)!));

      search.handleConnected(accepted);
      client.search.handleConnected(connected);
      await meeting.sleep(5000); // sockets that were lent to discovery are back, too
      const ends = [[sharer.machine, accepted], [client.machine, connected]] as const;
      for (const [{ extras }, { path }] of ends) {
        assert.equal(extras.count, path.socket === 0 ? 0 : 1);
      }
      // The last words leave through the socket of the session, whichever it is.
      connected.close(0, "");
      await client.search.close();
      await client.machine.live.idle();
      await meeting.sleep(100);
      assert.equal(accepted.closed?.byPeer, true);
      search.stop();
      assert.equal(sharer.machine.extras.count, 0);
      await sharer.watch.close();
      sharer.machine.close();
      client.machine.close();
    });
  });
}
