/**
 * The actions of UPnP's WANIPConnection and WANPPPConnection that port mapping needs, over HTTP. Each
 * call has a time limit and an answer of bounded size; none rejects.
 *
 * Written here, although packages for it exist: `@achingbrain/nat-port-mapper` 4.0.5, the best kept,
 * reads environment variables while it loads and so fails without --allow-env, finds only routers of
 * InternetGatewayDevice:2, binds port 1900, and deletes a mapping without naming its protocol, which
 * routers refuse. Reading XML is left to a package (`xml.ts`).
 */
import { type IpAddress, parseIpAddress } from "../nat/address.ts";
import { after } from "../time.ts";
import type { Clock } from "../transport/clock.ts";
import { parseIgdDescription, type WanService } from "./igd_description.ts";
import type { PortMapNetwork, RouterRequest } from "./network.ts";
import { decodeSoapAnswer, encodeSoapCall, type SoapAnswer } from "./soap_message.ts";

/** Longest wait for an answer, ms: small routers take a second to change their tables. */
const ANSWER_LIMIT_MS = 3000;

/** Shown in the tables of routers. */
const DESCRIPTION = "p2pft";

/** A mapping as UPnP has it. */
export interface UpnpMapping {
  readonly externalPort: number;
  /** This machine. */
  readonly client: IpAddress;
  readonly internalPort: number;
  /** 0 means until it is deleted. */
  readonly lifetimeSeconds: number;
}

/** Calls the actions of routers. */
export class UpnpControl {
  readonly #clock: Clock;
  readonly #network: PortMapNetwork;
  readonly #calls = new Set<AbortController>();
  #closed = false;

  constructor(clock: Clock, network: PortMapNetwork) {
    this.#clock = clock;
    this.#network = network;
  }

  /** The services described at `location`; none when nothing is. */
  async describe(location: URL): Promise<WanService[]> {
    const text = await this.#request({ url: location, method: "GET", headers: {} });
    return text === undefined ? [] : parseIgdDescription(text, location);
  }

  /** The router's outside address; a fault as it came; undefined when it is silent or has none. */
  async externalAddress(service: WanService): Promise<IpAddress | SoapFault | undefined> {
    const answer = await this.#call(service, "GetExternalIPAddress");
    if (answer?.kind !== "done") return answer;
    return parseIpAddress(answer.value("NewExternalIPAddress") ?? "");
  }

  /** Maps a UDP port, or renews its mapping. */
  addMapping(service: WanService, mapping: UpnpMapping): Promise<SoapAnswer | undefined> {
    return this.#call(service, "AddPortMapping", [
      ["NewRemoteHost", ""],
      ["NewExternalPort", mapping.externalPort],
      ["NewProtocol", "UDP"],
      ["NewInternalPort", mapping.internalPort],
      ["NewInternalClient", mapping.client.host],
      ["NewEnabled", 1],
      ["NewPortMappingDescription", DESCRIPTION],
      ["NewLeaseDuration", mapping.lifetimeSeconds],
    ]);
  }

  /** Deletes the mapping of a UDP port. */
  async deleteMapping(service: WanService, externalPort: number): Promise<void> {
    await this.#call(service, "DeletePortMapping", [
      ["NewRemoteHost", ""],
      ["NewExternalPort", externalPort],
      ["NewProtocol", "UDP"],
    ]);
  }

  /** Ends every call. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.abort();
  }

  async #call(
    service: WanService,
    action: string,
    args?: readonly (readonly [name: string, value: string | number])[],
  ): Promise<SoapAnswer | undefined> {
    const call = encodeSoapCall(service.type, action, args);
    const text = await this.#request({ url: service.controlUrl, method: "POST", ...call });
    return text === undefined ? undefined : decodeSoapAnswer(text, action);
  }

  async #request(request: Omit<RouterRequest, "signal">): Promise<string | undefined> {
    if (this.#closed) return undefined;
    const controller = new AbortController();
    this.#calls.add(controller);
    const limit = after(this.#clock.now(), ANSWER_LIMIT_MS);
    const cancel = this.#clock.setTimer(limit, () => controller.abort());
    try {
      return await this.#network.request({ ...request, signal: controller.signal });
    } finally {
      cancel();
      this.#calls.delete(controller);
    }
  }
}

/** An action failed, for the reason that the code stands for. */
export type SoapFault = Extract<SoapAnswer, { kind: "fault" }>;
