import assert from "node:assert/strict";
import { IntegerList } from "../../../lib/transfer/sending/integer_list.ts";

Deno.test("IntegerList keeps numbers in their places while it grows", () => {
  const list = new IntegerList();
  const numbers = Array.from({ length: 5000 }, (_, index) => index % 2 === 0 ? index : -1 - index);
  for (const number of numbers) list.push(number);
  assert.equal(list.length, numbers.length);
  assert.deepEqual(numbers.map((_, index) => list.get(index)), numbers);
  assert.equal(list.get(numbers.length), undefined);
});
