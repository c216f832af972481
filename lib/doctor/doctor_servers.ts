/**
 * Asks each STUN server by itself, so that those which are out of order can be named. What the answers
 * say of the network is found out elsewhere (`lib/nat/discovery`).
 */
import type { RandomSource } from "../crypto/provider.ts";
import type { DoctorStunServer } from "./doctor_report.ts";
import type { SocketAddress } from "../nat/address.ts";
import { DISCOVERY_SCHEDULE } from "../nat/discovery/discovery.ts";
import { StunClient } from "../nat/stun/client.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import type { LiveEndpoint } from "../transport/live_endpoint.ts";
import { findStunServers, readStunServers, type ResolveName } from "../traversal/stun_servers.ts";

/** How long a STUN server has to be found and to answer, ms. */
const SERVER_LIMIT_MS = 2000;

/** What {@linkcode askServers} works with. */
export interface AskServersOptions {
  /** Through whose first sockets is asked. */
  readonly live: LiveEndpoint;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Looks up names. */
  readonly resolve: ResolveName;
}

/**
 * Asks every server at once; none takes longer than two seconds, whatever its name servers do.
 *
 * @param texts As a person gives them, `host[:port]`.
 * @returns What came of each, in the same order.
 * @throws {TransferError} `usage` for a text that is no server.
 */
export async function askServers(
  texts: readonly string[],
  options: AskServersOptions,
): Promise<DoctorStunServer[]> {
  return await Promise.all(texts.map((server) => askServer(server, options)));
}

async function askServer(
  server: string,
  { live, clock, random, resolve }: AskServersOptions,
): Promise<DoctorStunServer> {
  const client = new StunClient({ random, schedule: DISCOVERY_SCHEDULE });
  const lookup = new AbortController();
  const answered = Promise.withResolvers<DoctorStunServer>();
  let isFound = false;
  const servers = readStunServers([server]);
  live.attach(client, () => {
    const outcome = client.pollOutcome();
    if (outcome === undefined) return;
    answered.resolve(
      outcome.type === "answer"
        ? {
          server,
          outcome: "answered",
          ...(outcome.rttMs === undefined ? {} : { rttMs: outcome.rttMs }),
        }
        : { server, outcome: outcome.type },
    );
  });
  const giveUp = (): void =>
    answered.resolve({ server, outcome: isFound ? "silent" : "no_address" });
  const cancel = clock.setTimer(after(clock.now(), SERVER_LIMIT_MS), giveUp);
  const ask = (addresses: readonly SocketAddress[]): void => {
    const [path] = live.pathsTo(addresses);
    if (path === undefined) return;
    isFound = true;
    client.request(clock.now(), path);
    live.wake();
  };
  // Not waited for: a name server that is dead takes longer than the limit.
  void findStunServers(servers, resolve, ask, lookup.signal).then(() => {
    if (!isFound) giveUp();
  });
  const outcome = await answered.promise;
  cancel();
  lookup.abort();
  live.detach(client);
  return outcome;
}
