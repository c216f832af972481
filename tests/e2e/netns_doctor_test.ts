/**
 * Goal: `doctor` says what kind of network it is in.
 * Method: the program on a host behind each kind of router, with STUN on a public host; what the
 * routers do is itself measured by netns_behaviour_test.ts. Needs root on Linux.
 */
import assert from "node:assert/strict";
import type { DoctorNetwork, DoctorReport } from "../../lib/doctor/doctor_report.ts";
import { CliProcess } from "../support/cli_process.ts";
import { Internet } from "../support/internet.ts";
import { LINUX_ROUTER, type PlaceName, PLACES } from "../support/netns_place.ts";
import { netnsTest } from "../support/netns_test_case.ts";
import { StunService } from "../support/stun_service.ts";

type Kind = Pick<DoctorNetwork, "mapping" | "filtering" | "portPattern" | "stun">;

const EASY: Kind = {
  mapping: "endpoint_independent",
  filtering: "address_and_port_dependent",
  portPattern: "preserving",
  stun: "answered",
};
const HARD: Kind = { ...EASY, mapping: "port_dependent_random", portPattern: "random" };

/** Declares what `doctor` is to say in a place. */
function doctorCase(name: PlaceName, expected: Kind): void {
  const router = name.startsWith("linux") ? ` [${LINUX_ROUTER}]` : "";
  netnsTest(`doctor knows ${name}${router}`, async () => {
    await using internet = await Internet.open();
    const stun = internet.use(await StunService.start(internet));
    const { host } = await PLACES[name](internet);
    const servers = stun.servers.flatMap((server) => ["--stun", server]);
    await using doctor = new CliProcess(["doctor", "--json", "--no-portmap", ...servers], {
      wrapper: host.namespace.wrapper,
    });
    await doctor.expectExit(0);
    const { network }: DoctorReport = JSON.parse(doctor.stdout);
    const { mapping, filtering, portPattern, stun: answers } = network;
    assert.deepEqual({ mapping, filtering, portPattern, stun: answers }, expected);
  });
}

doctorCase("none", { ...EASY, mapping: "none", filtering: "endpoint_independent" });
doctorCase("port-restricted", EASY);
doctorCase("double", EASY);
doctorCase("linux that drops", EASY);
doctorCase("sym-addr", {
  ...HARD,
  mapping: "address_dependent",
  filtering: "address_dependent",
});
doctorCase("sym-seq", {
  ...HARD,
  mapping: "port_dependent_stepping",
  portPattern: "sequential",
});
doctorCase("symmetric", HARD);
doctorCase("linux with random ports", HARD);
doctorCase("UDP blocked", {
  mapping: "unknown",
  filtering: "unknown",
  portPattern: "unknown",
  stun: "silent",
});
