/**
 * A host that sends single datagrams from chosen ports and tells what it heard: run in a namespace by
 * `udp_host.ts`. It takes the lines `send PORT HOST PORT HOPS` (0 for the system's hops) and `heard
 * PORT`, whose answer is who sent the last datagram to that port, after a moment of waiting.
 */
import { DenoSocket } from "../../lib/transport/deno_socket.ts";
import { answerLines } from "./line_process.ts";

/** Nothing is lost between namespaces, so what has not come by then was filtered. */
const HEARD_WITHIN_MS = 250;

interface Listener {
  readonly socket: DenoSocket;
  lastFrom: string;
}

const listeners = new Map<number, Listener>();

function listenerAt(port: number): Listener {
  let listener = listeners.get(port);
  if (listener === undefined) {
    const opened = { socket: new DenoSocket({ family: 4, host: "0.0.0.0", port }), lastFrom: "" };
    opened.socket.receive((_datagram, from) => opened.lastFrom = `${from.host}:${from.port}`);
    listener = opened;
    listeners.set(port, listener);
  }
  return listener;
}

await answerLines("{}", async (line) => {
  const [verb, ...words] = line.split(" ");
  const listener = listenerAt(Number(words[0]));
  if (verb === "heard") {
    const until = performance.now() + HEARD_WITHIN_MS;
    while (listener.lastFrom === "" && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return listener.lastFrom;
  }
  const [, host, port, hops] = words;
  const { socket } = listener;
  if (Number(hops) > 0 && !socket.limitHops(Number(hops))) throw new Error("Cannot limit hops");
  await socket.send(new Uint8Array(100), { family: 4, host: host!, port: Number(port) });
  if (Number(hops) > 0) socket.limitHops(undefined);
  return "{}";
});
