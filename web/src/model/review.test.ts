import { expect, test } from "vitest";
import { doubtOf, keyOf, nextToReview, type ReviewEntry } from "./review";

function entry(object_id: number, is_accepted = false): ReviewEntry {
  return { media_id: "m", media_name: "clip", object_id, name: "a", label: "", frame: 0, uncertainty: 0.5, reasons: [], is_accepted };
}

test("the next one is the first that nobody accepted, around the end", () => {
  const entries = [entry(1), entry(2, true), entry(3)];
  expect(nextToReview(entries, null)?.object_id).toBe(1);
  expect(nextToReview(entries, keyOf(entries[0]))?.object_id).toBe(3);
  expect(nextToReview(entries, keyOf(entries[2]))?.object_id).toBe(1);
  expect(nextToReview([entry(1)], "m/1")?.object_id).toBe(1);
  expect(nextToReview([entry(1, true)], "m/1")).toBeNull();
});

test.each([[0.9, "high"], [0.5, "middle"], [0.1, "low"]] as const)("a doubt of %s is %s", (value, wanted) => {
  expect(doubtOf(value)).toBe(wanted);
});
