/**
 * The system's network for port mapping. Net permission is all it takes: routes are read where
 * everything was granted anyway, since the system's files under /proc need that.
 *
 * Known limit: where HTTP_PROXY is set, `fetch` takes that way to the router, too, unless NO_PROXY
 * names it; UPnP is silent then.
 */
import type { IpAddress, SocketAddress } from "../nat/address.ts";
import { openSocket } from "../transport/open_socket.ts";
import type { PortMapNetwork, RouterRequest } from "./network.ts";
import { parseRouteTable } from "./router_guess.ts";
import { MAX_XML_LENGTH } from "./xml.ts";

const ROUTE_TABLE = "/proc/net/route";

const EVERY_PERMISSION = ["env", "ffi", "net", "read", "run", "sys", "write"] as const;

/** The network of this machine, by Deno. */
export const denoNetwork: PortMapNetwork = {
  // Asking routers is a few datagrams: the slow socket serves as well.
  openSocket: (host) => openSocket({ family: 4, host, port: 0, allowSlowSocket: true }),
  mayReach,
  async request(request) {
    const { url } = request;
    const port = url.port === "" ? 80 : Number(url.port);
    if (!mayReach({ family: 4, host: url.hostname, port })) return undefined;
    try {
      return await fetchText(request);
    } catch {
      // Refused, broken, cut short, aborted or no HTTP at all: such a router maps nothing.
      return undefined;
    }
  },
  async defaultRouters(): Promise<readonly IpAddress[]> {
    if (Deno.build.os !== "linux" || !isEverythingGranted()) return [];
    try {
      return parseRouteTable(await Deno.readTextFile(ROUTE_TABLE));
    } catch {
      // Containers may hide it; a guess is as good then.
      return [];
    }
  },
};

function mayReach({ host, port }: SocketAddress): boolean {
  return Deno.permissions.querySync({ name: "net", host: `${host}:${port}` }).state === "granted";
}

function isEverythingGranted(): boolean {
  return EVERY_PERMISSION.every((name) => {
    const status = Deno.permissions.querySync({ name });
    return status.state === "granted" && !status.partial;
  });
}

async function fetchText(
  { url, method, headers, body, signal }: RouterRequest,
): Promise<string | undefined> {
  const response = await fetch(url, {
    method,
    headers,
    signal,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  if (response.body === null) return undefined;
  if (response.status !== 200 && response.status !== 500) {
    await response.body.cancel();
    return undefined;
  }
  const decoder = new TextDecoder();
  let text = "";
  // Leaving the loop early cancels the body.
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_XML_LENGTH) return undefined;
  }
  return text + decoder.decode();
}
