import assert from "node:assert/strict";
import { namesAesInstructions } from "../../../lib/transport/libcrypto_cpu.ts";

const X86 = "OPENSSL_ia32cap=0x7ed8320b078bffff:0x405fc6f3bfa7a9";
const ARM = "OPENSSL_armcap=0xbd";

Deno.test("namesAesInstructions finds AES and its multiplication on x86 and ARM", () => {
  for (const settings of [X86, `CPUINFO: ${X86} env:`, ARM, "OPENSSL_armcap=0x24"]) {
    assert.equal(namesAesInstructions(settings), true, settings);
  }
});

Deno.test("namesAesInstructions says no where either is missing, and to what it cannot read", () => {
  const withoutAes = "OPENSSL_ia32cap=0x7cd8320b078bffff:0x405fc6f3bfa7a9";
  const withoutMultiplication = "OPENSSL_ia32cap=0x7ed83209078bffff:0x405fc6f3bfa7a9";
  const others = [
    withoutAes,
    withoutMultiplication,
    "OPENSSL_armcap=0x99",
    "OPENSSL_armcap=0x1c",
    "OPENSSL_ia32cap=0x0:0x7ed8320b078bffff",
    "OPENSSL_s390xcap=0xffffffffffffffff",
    "N/A",
    "",
  ];
  for (const settings of others) assert.equal(namesAesInstructions(settings), false, settings);
});
