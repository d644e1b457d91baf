import { expect, test } from "vitest";
import { inRequests, sayMissing } from "./candidates";

const mask = { counts: "1", area: 1, score: 1, stability: 1, label: "dog" };

test("finds speak for themselves, words that found nothing are named", () => {
  expect(sayMissing("words", { suggestions: [mask], missing: [], num_known: 0 })).toBeNull();
  expect(sayMissing("words", { suggestions: [mask], missing: ["cat"], num_known: 0 })).toBe("Not found on this frame: “cat”.");
});

test("no find says why", () => {
  expect(sayMissing("words", { suggestions: [], missing: ["cat", "cow"], num_known: 0 })).toContain("“cat”, “cow”");
  expect(sayMissing("words", { suggestions: [], missing: [], num_known: 2 })).toContain("among the objects already");
  expect(sayMissing("similar", { suggestions: [], missing: [], num_known: 0 })).toContain("looks like it");
  expect(sayMissing("everything", { suggestions: [], missing: [], num_known: 0 })).toContain("click an object");
});

test("what is taken goes in one request as long as it fits", () => {
  const masks = [4, 3, 2, 9, 1].map((size) => ({ counts: "x".repeat(size) }));
  const sizes = (most?: number) => inRequests(masks, most).map((part) => part.map((one) => one.counts.length));
  expect(sizes()).toEqual([[4, 3, 2, 9, 1]]);
  expect(sizes(7)).toEqual([[4, 3], [2], [9], [1]]);
  expect(inRequests([])).toEqual([]);
});
