/** Every tool that can be measured. */
import { congestionControls } from "./kernel.ts";
import { overCongestionControl, type Tool } from "./tool.ts";
import { copy } from "./tools/copy.ts";
import { https, quic, quicBbr } from "./tools/deno_net.ts";
import { iperf } from "./tools/iperf.ts";
import { ownTools } from "./tools/p2pft.ts";
import { rsync, scp } from "./tools/ssh.ts";
import { wormhole } from "./tools/wormhole.ts";

/**
 * All of them, in the order of the tables: ours first, those that move no file last.
 *
 * @param binary A compiled program of ours in place of `deno run`.
 */
export function allTools(binary?: string): Tool[] {
  const overTcp = [scp, rsync, wormhole, https];
  const hasBbr = congestionControls().includes("bbr");
  const both = (tool: Tool) => hasBbr ? [tool, overCongestionControl(tool, "bbr")] : [tool];
  return [
    ...ownTools(binary),
    ...overTcp.flatMap(both),
    quic,
    quicBbr,
    ...both(iperf),
    copy,
  ];
}
