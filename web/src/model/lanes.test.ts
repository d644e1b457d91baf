import { expect, test } from "vitest";
import { confidenceOf, Lanes, type LaneNote } from "./lanes";

const note = (frame: number, changes: Partial<LaneNote> = {}): LaneNote => ({
  objectId: 1,
  frame,
  score: 0.9,
  presence: 1,
  isEmpty: false,
  isPrompted: false,
  isBackward: false,
  ...changes,
});

test("an edit drops what was tracked past it, by the direction of tracking, and no prompted frame", () => {
  const lanes = new Lanes();
  for (let frame = 0; frame < 10; frame++) lanes.put(note(frame, { isBackward: frame < 3, isPrompted: frame === 3 || frame === 7 }));
  expect(lanes.drop(1, { after: 7, before: 2 })).toEqual([0, 1, 8, 9]);
  expect(lanes.drop(1, { after: 2, before: 9 })).toEqual([2, 4, 5, 6]);
  expect(lanes.numKnown(1)).toBe(2);
});

test("stretches say visible, absent and prompted, and leave gaps where nothing is known", () => {
  const lanes = new Lanes();
  for (const frame of [0, 1, 2, 3, 6, 7]) {
    lanes.put(note(frame, { isPrompted: frame === 0, isEmpty: frame > 5, presence: frame > 5 ? 0 : 1 }));
  }
  const found = lanes.stretches(1, 0, 10, 10).map(({ start, stop, kind }) => [start, stop, kind]);
  expect(found).toEqual([[0, 1, "prompted"], [1, 4, "visible"], [6, 8, "absent"]]);
  expect(lanes.stretches(1, 0, 10_000, 100).length).toBeLessThanOrEqual(100);
  expect(lanes.stretches(2, 0, 10, 10)).toEqual([]);
});

test("the next frame to check is the least certain that nobody saw", () => {
  const lanes = new Lanes();
  [0.9, 0.2, 0.5].forEach((score, frame) => { lanes.put(note(frame, { score })); });
  lanes.put(note(3, { score: 0.1, isPrompted: true }));
  expect(lanes.nextToCheck([1], () => false)?.frame).toBe(1);
  expect(lanes.nextToCheck([1], (_id, frame) => frame === 1)?.frame).toBe(2);
  expect(lanes.nextToCheck([2], () => false)).toBeNull();
});

test("to be sure of absence is to be sure", () => {
  expect(confidenceOf(note(0, { isEmpty: true, presence: 0.02, score: 0 }))).toBeGreaterThan(0.9);
  expect(confidenceOf(note(0, { isEmpty: true, presence: 0.5 }))).toBe(0);
  expect(confidenceOf(note(0, { isPrompted: true, score: 0 }))).toBe(1);
});
