/**
 * A STUN server of RFC 5780 without a socket: the answer to a datagram, and the address to send it
 * from. With two IP addresses and two ports it tells the other ones and obeys CHANGE-REQUEST; with
 * one address it is a plain server of RFC 8489.
 *
 * Feed it from a simulated network, or from real sockets bound to {@linkcode stunServerAddresses}.
 */
import { isSameSocketAddress, type SocketAddress } from "../../lib/nat/address.ts";
import { encodeBindingError, encodeBindingResponse } from "../../lib/nat/stun/encode.ts";
import { STUN_BINDING } from "../../lib/nat/stun/header.ts";
import { decodeStunMessage } from "../../lib/nat/stun/message.ts";

/** Where a server listens. */
export interface StunServer {
  /** The address that is given to clients. */
  readonly primary: SocketAddress;
  /** Another IP address and another port, of the same family; absent on a plain server. */
  readonly alternate?: SocketAddress;
}

/** What to send, and from which of the server's addresses; it goes to where the request came from. */
export interface StunReply {
  readonly bytes: Uint8Array;
  readonly fromAddress: SocketAddress;
}

/** All addresses a server listens at: one, or the four of RFC 5780. */
export function stunServerAddresses({ primary, alternate }: StunServer): readonly SocketAddress[] {
  if (alternate === undefined) return [primary];
  return [
    primary,
    { ...primary, port: alternate.port },
    { ...alternate, port: primary.port },
    alternate,
  ];
}

/**
 * The answer to a datagram.
 *
 * @param request As it came in.
 * @param from Where it seemed to come from.
 * @param at Which of the server's addresses it came to.
 * @returns Undefined when it is no Binding request: such a datagram gets silence.
 */
export function answerStun(
  request: Uint8Array,
  from: SocketAddress,
  at: SocketAddress,
  server: StunServer,
): StunReply | undefined {
  const message = decodeStunMessage(request);
  if (message?.messageClass !== "request" || message.method !== STUN_BINDING) return undefined;
  const { transactionId, changeAddress, changePort, unknownRequired } = message;
  const out = new Uint8Array(256);
  const { primary, alternate } = server;
  const unknownAttributes = alternate === undefined && (changeAddress || changePort)
    ? [...unknownRequired, 0x0003]
    : unknownRequired;
  if (unknownAttributes.length > 0) {
    const reason = "Unknown Attribute";
    const end = encodeBindingError({ transactionId, code: 420, reason, unknownAttributes }, out, 0);
    return { bytes: out.subarray(0, end), fromAddress: at };
  }
  if (alternate === undefined) {
    const end = encodeBindingResponse({ transactionId, mappedAddress: from }, out, 0);
    return { bytes: out.subarray(0, end), fromAddress: at };
  }
  // What is "other" is seen from the address that the request came to.
  const otherAddress: SocketAddress = {
    family: primary.family,
    host: at.host === primary.host ? alternate.host : primary.host,
    port: at.port === primary.port ? alternate.port : primary.port,
  };
  const fromAddress: SocketAddress = {
    family: primary.family,
    host: (changeAddress ? otherAddress : at).host,
    port: (changePort ? otherAddress : at).port,
  };
  const end = encodeBindingResponse(
    { transactionId, mappedAddress: from, otherAddress, responseOrigin: fromAddress },
    out,
    0,
  );
  return { bytes: out.subarray(0, end), fromAddress };
}

/** Whether a server listens at an address. */
export function isStunServerAt(server: StunServer, address: SocketAddress): boolean {
  return stunServerAddresses(server).some((own) => isSameSocketAddress(own, address));
}
