/**
 * A machine in a simulated internet with an endpoint and extra sockets, for what drives traversal on
 * them (`lib/traversal`) without a whole program around it.
 */
import { selectProvider } from "../../lib/crypto/select_provider.ts";
import type { EndpointEvent } from "../../lib/protocol/endpoint.ts";
import { ExtraSockets, SocketAllowance } from "../../lib/transport/extra_sockets.ts";
import { LiveEndpoint } from "../../lib/transport/live_endpoint.ts";
import { NetworkWatch, type NetworkWatchOptions } from "../../lib/traversal/network_watch.ts";
import type { Home, MeetingWorld } from "./meeting_world.ts";
import { SimSocket } from "./sim_socket.ts";
import type { SimHost } from "./sim_internet.ts";

/** One machine, and all it has sent. */
export class WatchedMachine {
  readonly live: LiveEndpoint;
  readonly extras: ExtraSockets;
  readonly main: SimSocket;
  readonly host: SimHost;
  /** Told of what the endpoint reports. */
  onEvent: (event: EndpointEvent) => void = () => {};
  readonly #meeting: MeetingWorld;
  #nextPort = 20_000;

  /** Binds the main socket of a new host. */
  constructor(meeting: MeetingWorld, home: Home | "public") {
    const { clock, prng: random } = meeting.world;
    this.#meeting = meeting;
    this.host = meeting.host(home);
    this.main = new SimSocket(this.host, 4000);
    this.live = new LiveEndpoint(
      { sockets: [this.main], provider: selectProvider(), random, clock },
      (event) => this.onEvent(event),
    );
    this.extras = new ExtraSockets(
      this.live,
      (_family, port) => Promise.resolve(new SimSocket(this.host, port || this.#nextPort++)),
      new SocketAllowance(1024),
    );
  }

  /** Watches its network; every option may be another. */
  watch(options: Partial<NetworkWatchOptions> = {}): NetworkWatch {
    const { clock, prng: random } = this.#meeting.world;
    return new NetworkWatch({
      live: this.live,
      clock,
      random,
      extras: this.extras,
      sockets: this.live.localSockets,
      stunServers: this.#meeting.stunServers,
      portMapping: false,
      interfaces: () => [],
      manual: [],
      allowLoopback: false,
      onChange: () => {},
      ...options,
    });
  }

  /** Frees everything. */
  close(): void {
    this.live.close();
    this.extras.closeAll();
  }
}
