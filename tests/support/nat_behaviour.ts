/** What a NAT does, measured from a host behind it: see `_stun_probe_main.ts`. */
import type { Host } from "./internet.ts";
import type { NatDependence } from "./nat_box.ts";
import { LineProcess } from "./line_process.ts";

/** Undefined where no STUN server answered. */
export interface NatBehaviour {
  /** The outside address. */
  readonly address: string | undefined;
  /** When the outside port stays the same. */
  readonly mapping: NatDependence | undefined;
  /** Who may answer. */
  readonly filtering: NatDependence | undefined;
  /** Ports of sockets that asked the same server one after the other. */
  readonly ports: readonly { readonly local: number; readonly external: number }[];
}

/** Measures from `host` with the STUN server at two addresses. */
export async function measureNat(
  host: Host,
  servers: readonly [string, string],
): Promise<NatBehaviour> {
  const { process, firstLine } = await LineProcess.start(
    host.namespace,
    "_stun_probe_main.ts",
    servers,
  );
  await process[Symbol.asyncDispose]();
  return JSON.parse(firstLine);
}
