/**
 * Goal: files in memory behave as those on a disk.
 * Method: the contract that the disk passes too, with files written at once and later.
 */
import { FakeStorage } from "../../support/fake_storage.ts";
import { testStorageContract } from "../../support/storage_contract.ts";

for (const answersAtOnce of [false, true]) {
  const name = answersAtOnce ? "memory, at once" : "memory";
  testStorageContract(name, true, async (test) => {
    const storage = new FakeStorage();
    storage.answersAtOnce = answersAtOnce;
    storage.addFolder("/folder");
    await test({ storage, folder: "/folder" });
  });
}
