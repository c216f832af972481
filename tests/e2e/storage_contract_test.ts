/**
 * Goal: the disk keeps what the tests of transfers rely on.
 * Method: the contract of storages in temporary folders. `storage_test.ts` runs this once more where
 * no FFI is granted.
 * Needs `--allow-read --allow-write`; `--allow-ffi` for the system's own calls.
 */
import { DenoStorage } from "../../lib/storage/deno_storage.ts";
import { testStorageContract } from "../support/storage_contract.ts";
import { TempFolder } from "../support/temp_folder.ts";

testStorageContract("disk", Deno.build.os !== "windows", async (test) => {
  await using temp = await TempFolder.make();
  await test({ storage: new DenoStorage(), folder: temp.path });
});
