import { expect, test } from "vitest";
import { PreviewHeight } from "./previewHeight";

test("at rest nothing is lost, up to what a page shows", () => {
  const height = new PreviewHeight();
  height.learn(500);
  expect([height.of(480, false), height.of(2160, false)]).toEqual([480, 720]);
});

test("a slow machine gets smaller pictures while they move, a fast one larger", () => {
  const height = new PreviewHeight();
  const before = height.of(480, true);
  height.learn(100);
  expect(height.of(480, true)).toBeLessThan(before);
  for (let round = 0; round < 50; round++) height.learn(1000);
  expect(height.of(480, true)).toBe(160);
  for (let round = 0; round < 50; round++) height.learn(2);
  expect([height.of(480, true), height.of(1080, true), height.of(100, true)]).toEqual([480, 720, 100]);
});
