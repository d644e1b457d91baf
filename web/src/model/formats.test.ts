import { expect, test } from "vitest";
import { exportChoices, formats, readableNames } from "./formats";

test("every format is offered once, under a name of its own", () => {
  const offered = exportChoices.flatMap((one) => one.format ?? []);
  expect([...offered].sort()).toEqual(Object.keys(formats).sort());
  const names = exportChoices.map((one) => one.about.name);
  expect(new Set(names).size).toBe(names.length);
});

test("what is only written is not offered for import", () => {
  expect(readableNames()).toContain("COCO");
  expect(readableNames()).not.toContain("GIF");
});
