/**
 * What a host's NAT looks like from outside, measured as RFC 5780 says with bare STUN messages and
 * none of the program's own judgement: run in the host's namespace by `nat_behaviour.ts`. Its first
 * argument is a STUN server's address, the second its other address, both at ports 3478 and 3479.
 * Prints what it found, {@linkcode NatBehaviour} as JSON.
 */
import { parseIpAddress, type SocketAddress } from "../../lib/nat/address.ts";
import { encodeBindingRequest } from "../../lib/nat/stun/encode.ts";
import { decodeStunMessage } from "../../lib/nat/stun/message.ts";
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import type { NatBehaviour } from "./nat_behaviour.ts";

/** Nothing is lost between namespaces, so what has not come by then was filtered. */
const ANSWER_WITHIN_MS = 250;
const SOCKETS_FOR_PORTS = 4;
const TRANSACTION_ID_BYTES = 12;

const [primary, other] = Deno.args.map((text) => parseIpAddress(text)!);

function server(isOther: boolean, port: number): SocketAddress {
  return { ...(isOther ? other! : primary!), port };
}

/** A socket of its own for each question that must not be helped by an earlier one. */
class Asker {
  readonly #socket = new DenoSocket({
    family: primary!.family,
    host: primary!.family === 4 ? "0.0.0.0" : "::",
    port: 0,
  });
  readonly #asked = new Map<string, (mapped: SocketAddress | undefined) => void>();

  constructor() {
    this.#socket.receive((datagram) => {
      const message = decodeStunMessage(datagram);
      if (message !== undefined) {
        this.#asked.get(`${message.transactionId}`)?.(message.mappedAddress);
      }
    });
  }

  get localPort(): number {
    return this.#socket.localAddress.port;
  }

  /** The address that the server saw, or undefined when no answer came. */
  async ask(
    to: SocketAddress,
    change: { readonly changeAddress?: boolean; readonly changePort?: boolean } = {},
  ): Promise<SocketAddress | undefined> {
    const transactionId = crypto.getRandomValues(new Uint8Array(TRANSACTION_ID_BYTES));
    const request = new Uint8Array(64);
    const length = encodeBindingRequest({ transactionId, ...change }, request, 0);
    const { promise, resolve } = Promise.withResolvers<SocketAddress | undefined>();
    this.#asked.set(`${transactionId}`, resolve);
    const timer = setTimeout(() => resolve(undefined), ANSWER_WITHIN_MS);
    await this.#socket.send(request.subarray(0, length), to);
    const mapped = await promise;
    clearTimeout(timer);
    return mapped;
  }
}

async function mappingAndPorts(): Promise<Pick<NatBehaviour, "address" | "mapping" | "ports">> {
  const asker = new Asker();
  const first = await asker.ask(server(false, 3478));
  if (first === undefined) return { address: undefined, mapping: undefined, ports: [] };
  const otherAddress = await asker.ask(server(true, 3478));
  const otherPort = await asker.ask(server(true, 3479));
  const isSame = (a?: SocketAddress, b?: SocketAddress) =>
    a?.port === b?.port && a?.host === b?.host;
  const mapping = isSame(first, otherAddress)
    ? "endpoint_independent"
    : isSame(otherAddress, otherPort)
    ? "address_dependent"
    : "address_and_port_dependent";
  const ports = [{ local: asker.localPort, external: first.port }];
  for (let count = 1; count < SOCKETS_FOR_PORTS; count++) {
    const more = new Asker();
    const seen = await more.ask(server(false, 3478));
    ports.push({ local: more.localPort, external: seen?.port ?? 0 });
  }
  return { address: first.host, mapping, ports };
}

async function filtering(): Promise<NatBehaviour["filtering"]> {
  const asker = new Asker();
  const at = server(false, 3478);
  if (await asker.ask(at) === undefined) return undefined;
  const [fromElsewhere, fromOtherPort] = await Promise.all([
    asker.ask(at, { changeAddress: true, changePort: true }),
    asker.ask(at, { changePort: true }),
  ]);
  if (fromElsewhere !== undefined) return "endpoint_independent";
  return fromOtherPort === undefined ? "address_and_port_dependent" : "address_dependent";
}

const behaviour: NatBehaviour = { ...await mappingAndPorts(), filtering: await filtering() };
await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(behaviour)}\n`));
Deno.exit(0);
