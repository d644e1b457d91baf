import { expect, test } from "vitest";
import { placeOf } from "./place";

test.each([
  ["", { kind: "home" }],
  ["?live", { kind: "live" }],
  ["?project=0123456789abcdef", { kind: "project", id: "0123456789abcdef" }],
  ["?project=../../x", { kind: "home" }],
])("the address %s says where we are", (search, expected) => {
  expect(placeOf(search)).toEqual(expected);
});
