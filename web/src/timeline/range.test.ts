import { expect, test } from "vitest";
import { frameAt, percentOf, rangeWith, wholeRange, zoomRange } from "./range";

test("zooming in and out ends at a dozen frames and at the whole video", () => {
  const whole = wholeRange(300);
  const near = zoomRange(whole, 1000, 150, 300);
  expect(near.stop - near.start).toBe(12);
  expect(near.start).toBeLessThanOrEqual(150);
  expect(near.stop).toBeGreaterThan(150);
  expect(zoomRange(near, 0.0001, 150, 300)).toEqual(whole);
  expect(zoomRange(wholeRange(5), 9, 2, 5)).toEqual({ start: 0, stop: 5 });
});

test("the range follows the frame and stays in the video", () => {
  expect(rangeWith({ start: 0, stop: 50 }, 70, 300)).toEqual({ start: 60, stop: 110 });
  expect(rangeWith({ start: 0, stop: 50 }, 299, 300)).toEqual({ start: 250, stop: 300 });
  expect(rangeWith({ start: 100, stop: 150 }, 120, 300)).toEqual({ start: 100, stop: 150 });
});

test("a frame is found where it is drawn", () => {
  const range = { start: 20, stop: 60 };
  for (const frame of [20, 33, 59]) expect(frameAt(percentOf(frame, range) / 100, range)).toBe(frame);
  expect([frameAt(-1, range), frameAt(2, range)]).toEqual([20, 59]);
});
