import { describe, expect, it } from "vitest";
import { catalogue, composeFrame, type EffectSettings, originalSettings, surpriseMe, valuesOf } from "./index";
import fixtures from "./compose.fixtures.json";
import { backgroundRenderers, objectRenderers } from "./table";

const { width, height, index, side } = fixtures;
const cases = Object.entries(fixtures.cases) as unknown as [string, { settings: EffectSettings; means: string }][];

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

function readFrame(): Uint8ClampedArray {
  const colors = bytesOf(fixtures.frame);
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let at = 0; at < width * height; at++) data.set(colors.subarray(at * 3, at * 3 + 3), at * 4);
  return data;
}

function readMasks(): Map<number, Uint8Array> {
  return new Map(
    Object.entries(fixtures.masks).map(([id, text]) => {
      const bits = bytesOf(text);
      const mask = Uint8Array.from({ length: width * height }, (_, at) => (bits[at >> 3] >> (7 - (at & 7))) & 1);
      return [Number(id), mask];
    }),
  );
}

/** A hundred times as fast as `toEqual`. */
function isEqual(first: Uint8ClampedArray, second: Uint8ClampedArray): boolean {
  return first.length === second.length && first.every((level, at) => level === second[at]);
}

/** Mean colours of squares, rounded down. */
function squaresOf(data: Uint8ClampedArray): number[] {
  const columns = width / side;
  const sums = new Array<number>((columns * height * 3) / side).fill(0);
  for (let at = 0; at < width * height; at++) {
    const square = Math.floor(at / width / side) * columns + Math.floor((at % width) / side);
    for (let channel = 0; channel < 3; channel++) sums[square * 3 + channel] += data[at * 4 + channel];
  }
  return sums.map((sum) => Math.floor(sum / side ** 2));
}

describe("composeFrame", () => {
  const frame = { width, height, data: readFrame() };
  const masks = readMasks();

  it.each(cases)("draws %s as the server does", (_name, { settings, means }) => {
    const before = Uint8ClampedArray.from(frame.data);
    const drawn = composeFrame(frame, masks, settings, index);
    const expected = bytesOf(means);
    const worst = squaresOf(drawn.data).reduce((most, mean, at) => Math.max(most, Math.abs(mean - expected[at])), 0);
    expect(worst).toBeLessThanOrEqual(1);
    expect(isEqual(frame.data, before)).toBe(true);
  });

  it("gives the frame back when everything is original", () => {
    expect(isEqual(composeFrame(frame, masks, originalSettings, 0).data, frame.data)).toBe(true);
  });

  it("draws with no objects at all", () => {
    for (const [, { settings }] of cases) {
      expect(composeFrame(frame, new Map(), settings, 0).data.length).toBe(frame.data.length);
    }
  });

  it("refuses a mask of another size and an effect that does not exist", () => {
    expect(() => composeFrame(frame, new Map([[1, new Uint8Array(3)]]), originalSettings, 0)).toThrow(RangeError);
    expect(() => valuesOf(catalogue.backgrounds, { name: "sparkle" })).toThrow(RangeError);
    expect(() => valuesOf(catalogue.backgrounds, { name: "blur", variant: "loud" })).toThrow(RangeError);
  });
});

describe("the catalogue", () => {
  it("has a renderer for every effect and nothing else", () => {
    expect(catalogue.backgrounds.map((one) => one.id)).toEqual(Object.keys(backgroundRenderers));
    expect(catalogue.objects.map((one) => one.id)).toEqual(Object.keys(objectRenderers));
  });

  it("surprises with something to look at", () => {
    let state = 1;
    const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
    for (let round = 0; round < 200; round++) {
      const { background, objects } = surpriseMe(random);
      const bland = ["original", "erase"];
      expect(bland.includes(background.name) && bland.includes(objects.name)).toBe(false);
    }
  });
});
