/**
 * A router of a home network in memory, that maps ports by PCP, NAT-PMP and UPnP as it is told to, and
 * the network of one machine behind it. Its messages are written here byte by byte, apart from the
 * codecs of the library.
 */
import { TransferError } from "../../lib/errors.ts";
import type { SocketAddress } from "../../lib/nat/address.ts";
import type { PortMapNetwork, RouterRequest } from "../../lib/portmap/network.ts";
import { MemoryNetwork } from "../../lib/transport/memory_network.ts";
import type { DatagramSocket } from "../../lib/transport/socket.ts";
import type { SimWorld } from "./sim_world.ts";

/** This machine, in 192.168.1.0/24. */
export const CLIENT_HOST = "192.168.1.20";
/** The router, where everybody looks for it. */
export const ROUTER_HOST = "192.168.1.1";

const SERVICE = "urn:schemas-upnp-org:service:WANIPConnection:1";

/** A port that is mapped. */
export interface FakeMapping {
  readonly by: "pcp" | "nat-pmp" | "upnp";
  readonly internalPort: number;
  readonly expiresMs: number;
  /** The nonce of PCP. */
  readonly nonce?: string;
}

/** The router. What it does is changed by setting its fields. */
export class FakeRouter {
  /** The outside address. */
  externalHost = "203.0.113.7";
  /** Whether each protocol is answered; a router without PCP says in NAT-PMP that it does not know it. */
  speaks = { pcp: true, natPmp: true, upnp: true };
  /** The result each request for a mapping gets. */
  results = { pcp: 0, natPmp: 0 };
  /** Longest lease, seconds. */
  maxLifetimeSeconds = 86_400;
  /** When it began, for its epoch. */
  startedMs = 0;
  /** How long it thinks about a request of PCP. */
  pcpDelayMs = 0;
  /** UPnP: knows only mappings without end. */
  permanentOnly = false;
  /** Whether a port mapped by one protocol can be taken over by another, as if it were the same. */
  hasOneTable = true;
  /** Ports that another machine has. */
  readonly taken = new Set<number>();
  /** What is mapped, by outside port. */
  readonly mappings = new Map<number, FakeMapping>();
  /** Every request, e.g. `pcp map 3600`. */
  readonly log: string[] = [];
  /** Where a device says that it is described. */
  location = `http://${ROUTER_HOST}:5000/root.xml`;
  /** Changes what goes to the client. */
  onSend: (datagram: Uint8Array) => Uint8Array = (datagram) => datagram;
  readonly #world: SimWorld;
  readonly #control: DatagramSocket;
  readonly #ssdp: DatagramSocket;
  #lastClient: SocketAddress | undefined;

  constructor(world: SimWorld, network: MemoryNetwork) {
    this.#world = world;
    this.#control = network.bind(ROUTER_HOST, 5351);
    this.#ssdp = network.bind(ROUTER_HOST, 1900);
    void this.#control.receive((datagram, from) => this.#handle(datagram.slice(), from));
    const group = network.bind("239.255.255.250", 1900);
    for (const socket of [this.#ssdp, group]) {
      void socket.receive((datagram, from) => this.#handleSearch(datagram, from));
    }
  }

  /** Restarts: mappings are gone and time begins anew. */
  restart(): void {
    this.mappings.clear();
    this.startedMs = this.#world.nowMs;
  }

  /** Says by PCP that it began anew, as RFC 6887, section 14.1.2, by unicast. */
  announce(): void {
    const answer = new Uint8Array(24);
    answer.set([2, 0x80]);
    new DataView(answer.buffer).setUint32(8, this.#epochSeconds);
    this.#send(answer);
  }

  /** Sends what nobody asked for, as it is, from the port of PCP and NAT-PMP. */
  say(datagram: Uint8Array): void {
    this.#send(datagram);
  }

  /** Sends anything to the client, from the port of PCP and NAT-PMP. */
  #send(datagram: Uint8Array): void {
    if (this.#lastClient !== undefined) {
      void this.#control.send(this.onSend(datagram), this.#lastClient);
    }
  }

  get #epochSeconds(): number {
    return Math.floor((this.#world.nowMs - this.startedMs) / 1000);
  }

  #handle(request: Uint8Array, from: SocketAddress): void {
    this.#lastClient = from;
    if (request[0] === 2) this.#handlePcp(request);
    else this.#handleNatPmp(request);
  }

  #handlePcp(request: Uint8Array): void {
    const view = new DataView(request.buffer);
    if (!this.speaks.pcp) {
      if (this.speaks.natPmp) this.#send(this.#natPmpHeader(8, 0x81, 1));
      return;
    }
    const lifetime = view.getUint32(4);
    this.log.push(`pcp map ${lifetime}`);
    const nonce = request.slice(24, 36).toString();
    const internalPort = view.getUint16(40);
    let result = this.results.pcp;
    let externalPort = 0;
    if (result === 0 && lifetime === 0) {
      const mine = [...this.mappings].find(([, mapping]) => mapping.internalPort === internalPort);
      if (mine !== undefined && mine[1].nonce !== nonce) result = 2;
      else if (mine !== undefined) this.mappings.delete(mine[0]);
    } else if (result === 0) {
      externalPort = this.#map(view.getUint16(42), { by: "pcp", internalPort, nonce }, lifetime);
    }
    const answer = request.slice();
    const out = new DataView(answer.buffer);
    answer.set([2, 0x81, 0, result]);
    answer.fill(0, 12, 24);
    out.setUint32(4, Math.min(lifetime, this.maxLifetimeSeconds));
    out.setUint32(8, this.#epochSeconds);
    out.setUint16(42, externalPort);
    answer.fill(0, 44, 54);
    answer.set([0xff, 0xff, ...this.externalHost.split(".").map(Number)], 54);
    this.#world.schedule(this.#world.nowMs + this.pcpDelayMs, () => this.#send(answer));
  }

  #handleNatPmp(request: Uint8Array): void {
    if (!this.speaks.natPmp) return;
    if (request[1] === 0) {
      this.log.push("nat-pmp address");
      const answer = this.#natPmpHeader(12, 0x80, 0);
      answer.set(this.externalHost.split(".").map(Number), 8);
      return this.#send(answer);
    }
    const view = new DataView(request.buffer);
    const internalPort = view.getUint16(4);
    const lifetime = view.getUint32(8);
    this.log.push(`nat-pmp map ${lifetime}`);
    const answer = this.#natPmpHeader(16, 0x81, this.results.natPmp);
    const out = new DataView(answer.buffer);
    out.setUint16(8, internalPort);
    if (this.results.natPmp === 0 && lifetime === 0) {
      // RFC 6886, section 3.4: success, whether there was one of this protocol or not.
      for (const [port, mapping] of this.mappings) {
        const isMeant = mapping.by === "nat-pmp" && mapping.internalPort === internalPort;
        if (isMeant) this.mappings.delete(port);
      }
    } else if (this.results.natPmp === 0) {
      const mapping = { by: "nat-pmp", internalPort } as const;
      out.setUint16(10, this.#map(view.getUint16(6), mapping, lifetime));
      out.setUint32(12, Math.min(lifetime, this.maxLifetimeSeconds));
    }
    this.#send(answer);
  }

  #natPmpHeader(length: number, opcode: number, result: number): Uint8Array {
    const answer = new Uint8Array(length);
    const view = new DataView(answer.buffer);
    answer[1] = opcode;
    view.setUint16(2, result);
    view.setUint32(4, this.#epochSeconds);
    return answer;
  }

  /** Maps the port wished for, or the next that is free. */
  #map(wished: number, mapping: Omit<FakeMapping, "expiresMs">, lifetimeSeconds: number): number {
    let port = wished;
    const isTaken = (): boolean => {
      const other = this.hasOneTable ? undefined : this.mappings.get(port);
      return this.taken.has(port) || (other !== undefined && other.by !== mapping.by);
    };
    while (isTaken()) port++;
    const seconds = Math.min(lifetimeSeconds, this.maxLifetimeSeconds);
    this.mappings.set(port, { ...mapping, expiresMs: this.#world.nowMs + seconds * 1000 });
    return port;
  }

  #handleSearch(datagram: Uint8Array, from: SocketAddress): void {
    const text = new TextDecoder().decode(datagram);
    if (!this.speaks.upnp || !text.includes("InternetGatewayDevice:1")) return;
    const answer = `HTTP/1.1 200 OK\r\nST: x\r\nLocation: ${this.location}\r\n\r\n`;
    void this.#ssdp.send(new TextEncoder().encode(answer), from);
  }

  /** Answers an HTTP request. */
  serve({ url, method, headers, body = "" }: RouterRequest): string | undefined {
    this.log.push(`http ${method} ${url.href}`);
    if (!this.speaks.upnp) return undefined;
    if (method === "GET") {
      return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>
        <friendlyName>AT&T</friendlyName><deviceList><device><deviceList><device><serviceList>
        <service><serviceType>${SERVICE}</serviceType><controlURL>/control</controlURL></service>
        </serviceList></device></deviceList></device></deviceList></device></root>`;
    }
    const action = headers["soapaction"]!.replaceAll('"', "").split("#")[1]!;
    const value = (name: string): string =>
      new RegExp(`<${name}>(.*)</${name}>`).exec(body)?.[1] ?? "";
    const port = Number(value("NewExternalPort"));
    this.log.push(`upnp ${action} ${port} ${value("NewLeaseDuration")}`.trim());
    switch (action) {
      case "GetExternalIPAddress":
        return soapAnswer(
          action,
          `<NewExternalIPAddress>${this.externalHost}</NewExternalIPAddress>`,
        );
      case "AddPortMapping": {
        const lifetime = Number(value("NewLeaseDuration"));
        if (this.taken.has(port)) return soapFault(718);
        if (this.permanentOnly && lifetime !== 0) return soapFault(725);
        const internalPort = Number(value("NewInternalPort"));
        this.#map(port, { by: "upnp", internalPort }, lifetime || 1e9);
        return soapAnswer(action, "");
      }
      case "DeletePortMapping":
        if (value("NewProtocol") !== "UDP") return soapFault(402);
        return this.mappings.delete(port) ? soapAnswer(action, "") : soapFault(714);
      default:
        return soapFault(401);
    }
  }
}

function soapAnswer(action: string, inner: string): string {
  return `<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">` +
    `<s:Body><u:${action}Response xmlns:u="${SERVICE}">${inner}</u:${action}Response></s:Body>` +
    `</s:Envelope>`;
}

function soapFault(code: number): string {
  return `<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><detail><UPnPError>` +
    `<errorCode>${code}</errorCode><errorDescription>whatever</errorDescription></UPnPError>` +
    `</detail></s:Fault></s:Body></s:Envelope>`;
}

/** One machine and its router, a millisecond apart. */
export class FakeHome {
  readonly router: FakeRouter;
  readonly memory: MemoryNetwork;
  /** The machine's network; may be given to `openPortMapping`. */
  readonly network: { -readonly [Key in keyof PortMapNetwork]: PortMapNetwork[Key] };
  /** Every datagram arrives again after this, ms. */
  repeatAfterMs: number | undefined;
  /** False: sockets cannot be bound for lack of permission. */
  isPermitted = true;

  constructor(world: SimWorld) {
    this.memory = new MemoryNetwork((datagram, _from, _to, arrive) => {
      world.schedule(world.nowMs + 1, () => arrive(datagram));
      if (this.repeatAfterMs !== undefined) {
        world.schedule(world.nowMs + this.repeatAfterMs, () => arrive(datagram));
      }
    });
    this.router = new FakeRouter(world, this.memory);
    this.network = {
      openSocket: (host) => {
        if (this.isPermitted) return Promise.resolve(this.memory.bind(host));
        return Promise.reject(new TransferError("permission_missing", "Cannot bind"));
      },
      mayReach: () => true,
      request: (request) => {
        const { promise, resolve } = Promise.withResolvers<string | undefined>();
        request.signal.addEventListener("abort", () => resolve(undefined));
        // A router that is off does not answer; the caller has a limit of its own.
        const answer = this.router.serve(request);
        if (answer !== undefined) world.schedule(world.nowMs + 10, () => resolve(answer));
        return promise;
      },
      defaultRouters: () => Promise.resolve([]),
    };
  }
}
