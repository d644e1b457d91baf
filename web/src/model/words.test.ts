import { expect, test } from "vitest";
import type { Project } from "./document";
import { keyName, shownKeys } from "./keys";
import { classNamed, ontologyFromText, ontologyToText, ontologyToYaml, withClassesNamed, withClassMoved, withNewClass } from "./ontology";
import { ago, count, describeDamage, duration, fileSize, timecode } from "./words";

test.each([
  [duration(0.2), "under a second"],
  [duration(42), "42 s"],
  [duration(600), "10 min"],
  [timecode(62.48), "1:02.48"],
  [fileSize(999), "999 B"],
  [fileSize(5_300_000), "5.1 MB"],
  [count(1, "object"), "1 object"],
  [count(1200, "object"), "1,200 objects"],
  [describeDamage({ name: "a.mp4", damage: null }), null],
  [describeDamage({ name: "a.mp4", damage: "ends early: 21 frames of about 48 (the box ends)" }), "a.mp4 ends early: 21 frames of about 48. What is left can be used."],
  [describeDamage({ name: "a.mkv", damage: "damaged: 21 frames (an element)" }), "a.mkv is damaged: 21 frames. What is left can be used."],
  [ago(100, 130), "just now"],
  [ago(0, 7300), "2 hours ago"],
])("%s", (found, expected) => {
  expect(found).toBe(expected);
});

test("keys have one name each", () => {
  const press = { key: "Z", ctrlKey: true, metaKey: false, shiftKey: true, altKey: false };
  expect(keyName(press)).toBe("mod+shift+z");
  expect(keyName({ ...press, key: "?", ctrlKey: false })).toBe("?");
  expect(keyName({ ...press, key: " ", ctrlKey: false, shiftKey: false })).toBe("Space");
  expect(shownKeys("mod+shift+z", false)).toEqual(["Ctrl", "Shift", "Z"]);
});

test("a class list is the same after a file", () => {
  const classes = [{ id: 3, name: "cup", color: "#aabbcc", shortcut: "c", words: "" }];
  expect(ontologyFromText(ontologyToText(classes))).toEqual(classes);
});

test("names alone make a class list, with digits as keys", () => {
  const found = ontologyFromText("person\ncar\n\ncar\n");
  expect(found.map(({ name, shortcut }) => [name, shortcut])).toEqual([["person", "1"], ["car", "2"]]);
});

test.each([["", "empty"], ["{", "whole JSON"], ["{}", "lists no classes"], ['[{"id": 1}]', "no name"]])(
  "a file that is no class list is refused in words",
  (text, reason) => {
    expect(() => ontologyFromText(text)).toThrow(reason);
  },
);

test("a new class takes the first digit that is free", () => {
  const classes = [{ id: 4, name: "a", color: "#aabbcc", shortcut: "1", words: "" }];
  const added = withNewClass({ classes } as unknown as Project, "b").at(-1);
  expect(added).toMatchObject({ id: 5, name: "b", shortcut: "2", words: "" });
});

test("words and their class are read and written as lines", () => {
  const found = ontologyFromText("# pets\npuppy . dog: dog\nkitten: cat\n'cat': cat\ncow\n");
  expect(found.map(({ name, words }) => [name, words])).toEqual([["dog", "puppy . dog"], ["cat", "kitten . cat"], ["cow", ""]]);
  expect(ontologyToYaml(found)).toBe('"puppy . dog": "dog"\n"kitten . cat": "cat"\n"cow": "cow"\n');
  expect(ontologyFromText(ontologyToYaml(found))).toEqual(found);
});

test("a class moves by one place and stays in the list", () => {
  const classes = ontologyFromText("a\nb\nc");
  const names = (list: typeof classes): string => list.map((one) => one.name).join("");
  expect(names(withClassMoved(classes, 2, -1))).toBe("bac");
  expect(names(withClassMoved(classes, 3, 1))).toBe("abc");
  expect(names(withClassMoved(classes, 9, 1))).toBe("abc");
});

test("labels become classes once, whatever their spelling", () => {
  const classes = ontologyFromText("Dog");
  expect(classNamed({ classes }, " dog ")?.name).toBe("Dog");
  expect(withClassesNamed({ classes }, ["dog", ""])).toBeNull();
  expect(withClassesNamed({ classes }, ["cat", "dog", "CAT"])?.map((one) => one.name)).toEqual(["Dog", "cat"]);
});
