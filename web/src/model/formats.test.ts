import { expect, test } from "vitest";
import { exportChoices, formats, groupsFor, readableNames } from "./formats";

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

test("of an image there are pictures, and nothing that moves", () => {
  const choices = groupsFor(true, true).flatMap((group) => group.choices);
  expect(choices.find((one) => one.kind === "overlay")?.about.ending).toBe("png");
  expect(choices.map((one) => one.id)).not.toContain("gif");
  expect(choices.map((one) => one.id)).toContain("coco");
  const beside = groupsFor(true, false).flatMap((group) => group.choices);
  expect(beside.map((one) => one.id).sort()).toEqual(exportChoices.map((one) => one.id).sort());
  expect(beside.find((one) => one.kind === "effects")?.about.ending).toBe("png");
});
