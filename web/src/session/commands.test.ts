import { expect, test } from "vitest";
import { commands, commandWithKey } from "./commands";

test("no two commands have the same key", () => {
  const keys = commands.flatMap((one) => one.keys);
  expect(new Set(keys).size).toBe(keys.length);
});

test("a command's key is no class's, and digits are free for classes", () => {
  expect(commandWithKey("t")?.id).toBe("track");
  for (const digit of "0123456789") expect(commandWithKey(digit)).toBeNull();
  expect(commandWithKey("")).toBeNull();
  expect(commandWithKey("w")).toBeNull();
});
