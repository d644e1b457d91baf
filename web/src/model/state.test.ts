import { expect, test } from "vitest";
import type { Media, ObjectState } from "./document";
import { keepsApart, rangeToTrack } from "./state";

function object(id: number, numPrompts: number): ObjectState {
  const prompts = Array.from({ length: numPrompts }, (_, frame) => ({ frame, clicks: [], box: null, mask: null }));
  return { id, name: "", color: "#ffffff", class_id: null, is_visible: true, is_locked: false, prompts };
}

function media(...objects: ObjectState[]): Media {
  return { objects, num_frames: 10 } as unknown as Media;
}

test.each([
  ["two objects", [object(1, 1), object(2, 1)], true],
  ["one object said twice", [object(1, 2)], false],
  ["one that is tracked beside one that is not", [object(1, 1), object(2, 0)], false],
  ["nothing", [], false],
] as const)("%s: kept apart is %s unless something is stated", (_, objects, isKept) => {
  expect(keepsApart(null, media(...objects))).toBe(isKept);
  expect(keepsApart(true, media(...objects))).toBe(true);
  expect(keepsApart(false, media(...objects))).toBe(false);
});

test.each([
  ["forward", { start: 0, stop: 10 }],
  ["backward", { start: 0, stop: 3 }],
  ["both", { start: 0, stop: 10 }],
] as const)("tracking %s goes over the frames that prompts can change", (direction, range) => {
  expect(rangeToTrack(media(object(1, 3)), direction)).toEqual(range);
  expect(rangeToTrack(media(object(1, 0)), direction)).toBeNull();
});
