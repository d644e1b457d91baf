import { expect, test } from "vitest";
import { decodeCounts, encodeCounts } from "./counts";
import { unpackMask } from "./message";
import { paintedBox, paintMasks, parseColor } from "./paint";
import { areaOf, boxOf, contains, emptyMask, fromBitmap, intersection, subtract, toBitmap, toBitmapAt, union, type Mask } from "./runs";

const size = { width: 7, height: 5 };

/** Pixels that look random but are the same every time. */
function noise(seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: 35 }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % 5 < 2 ? 1 : 0;
  });
}

const masks = [1, 2, 3, 4, 5].map((seed) => fromBitmap(noise(seed), size));
const full = fromBitmap(new Uint8Array(35).fill(1), size);

test.each([...masks, full, emptyMask(size)])("a mask is the same after runs, text and pixels", (mask: Mask) => {
  expect(toBitmap({ ...mask, runs: decodeCounts(encodeCounts(mask.runs)) })).toEqual(toBitmap(mask));
  expect(areaOf(mask)).toBe(toBitmap(mask).reduce((sum, one) => sum + one, 0));
  expect(mask.runs.reduce((sum, one) => sum + one, 0)).toBe(35);
});

test("text is what COCO writes", () => {
  // pycocotools: a column-wise mask of 4 by 3 with runs 2, 3, 4, 1, 2
  expect(encodeCounts(Uint32Array.of(2, 3, 4, 1, 2))).toBe("234NN");
  expect([...decodeCounts("234NN")]).toEqual([2, 3, 4, 1, 2]);
  expect(() => decodeCounts("Q")).toThrow("cut");
});

test.each([
  ["union", union, (a: number, b: number) => a | b],
  ["difference", subtract, (a: number, b: number) => a & ~b & 1],
  ["intersection", intersection, (a: number, b: number) => a & b],
] as const)("%s works on runs as on pixels", (_name, combine, expected) => {
  for (const first of [...masks, full, emptyMask(size)]) {
    for (const second of masks) {
      const [a, b] = [toBitmap(first), toBitmap(second)];
      expect([...toBitmap(combine(first, second))]).toEqual([...a].map((one, at) => expected(one, b[at])));
    }
  }
});

test("masks of different sizes are not combined", () => {
  expect(() => union(masks[0], emptyMask({ width: 5, height: 7 }))).toThrow("different sizes");
});

test("points and boxes are where the pixels are", () => {
  const bitmap = new Uint8Array(35);
  bitmap[2 * 7 + 3] = bitmap[3 * 7 + 5] = 1;
  const mask = fromBitmap(bitmap, size);
  expect(boxOf(mask)).toEqual([3, 2, 6, 4]);
  expect(boxOf(emptyMask(size))).toBeNull();
  expect(contains(mask, 3.9, 2.1)).toBe(true);
  expect(contains(mask, 2, 3)).toBe(false);
  expect(contains(mask, -1, 2)).toBe(false);
});

test("a message of the stream is read to the last run", () => {
  const runs = [3, 4, 300, 43];
  const numbers = [901, 2, 130, 70, 5, runs.length, ...runs].flatMap((number) => {
    const bytes: number[] = [];
    for (let rest = number; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...bytes, rest];
      bytes.push((rest % 128) | 128);
    }
  });
  const bytes = Uint8Array.from([1, 0, 1, 2, 3, 0xab, 5, 6, 7, 3, 255, 51, 0, ...numbers]);
  const found = unpackMask(bytes.buffer);
  expect(found).toMatchObject({ mediaId: "00010203ab050607", cursor: 901, objectId: 2, frame: 130, isPrompted: true, isBackward: true });
  expect([found.score, found.presence, found.stability]).toEqual([1, 0.2, 0]);
  expect([...found.mask.runs]).toEqual(runs);
  expect(() => unpackMask(bytes.slice(0, -1).buffer)).toThrow("cut");
  expect(() => unpackMask(Uint8Array.of(9).buffer)).toThrow("version");
});

test("masks are painted with fill inside and outline at the edge", () => {
  const square = { width: 8, height: 8 };
  const mask = fromBitmap(Uint8Array.from({ length: 64 }, (_, at) => (at % 8 > 1 && at % 8 < 7 && at > 15 && at < 56 ? 1 : 0)), square);
  const pixels = paintMasks([{ mask, style: { color: parseColor("#102030"), fill: 0.5, outline: 1 } }], square);
  expect([...pixels.slice(4 * (4 * 8 + 4), 4 * (4 * 8 + 4) + 4)]).toEqual([16, 32, 48, 128]);
  expect(pixels[4 * (2 * 8 + 2) + 3]).toBe(255);
  expect(pixels[3]).toBe(0);
});

test("a rim is white around the outline, within the mask", () => {
  const square = { width: 12, height: 12 };
  const mask = fromBitmap(Uint8Array.from({ length: 144 }, (_, at) => (at % 12 > 1 && at % 12 < 10 && at > 23 && at < 120 ? 1 : 0)), square);
  const pixels = paintMasks([{ mask, style: { color: parseColor("#102030"), fill: 0.5, outline: 1, rim: 1 } }], square);
  const across = [1, 2, 3, 4].map((x) => [...pixels.slice(4 * (6 * 12 + x), 4 * (6 * 12 + x) + 4)]);
  expect(across).toEqual([[0, 0, 0, 0], [255, 255, 255, 255], [16, 32, 48, 255], [16, 32, 48, 128]]);
});

test("the box that is painted holds all masks and shows what the whole picture does there", () => {
  const square = { width: 40, height: 50 };
  const disc = (cx: number, cy: number): Mask =>
    fromBitmap(Uint8Array.from({ length: 2000 }, (_, at) => (Math.hypot((at % 40) - cx, Math.floor(at / 40) - cy) < 6 ? 1 : 0)), square);
  const style = { color: parseColor("#a0b0c0"), fill: 0.5, outline: 1 };
  const painted = [disc(5, 20), disc(22, 31)].map((mask) => ({ mask, style }));
  const box = paintedBox(painted, square);
  expect(box).toEqual([0, 14, 29, 38]);
  const whole = paintMasks(painted, square);
  const part = paintMasks(painted, square, box);
  for (let y = box[1]; y < box[3]; y++) {
    const from = 4 * (y * 40 + box[0]);
    const width = 4 * (box[2] - box[0]);
    expect([...part.slice((y - box[1]) * width, (y - box[1] + 1) * width)]).toEqual([...whole.slice(from, from + width)]);
  }
  expect(whole.filter((one) => one > 0)).toHaveLength(part.filter((one) => one > 0).length);
  expect(paintedBox([{ mask: emptyMask(square), style }], square)).toEqual([0, 0, 1, 1]);
});

test("a mask at another size is on where the mask is on under a pixel's middle", () => {
  for (const to of [size, { width: 14, height: 10 }, { width: 3, height: 2 }, { width: 5, height: 4 }]) {
    for (const mask of masks) {
      const whole = toBitmap(mask);
      const expected = Array.from({ length: to.width * to.height }, (_, at) => {
        const x = Math.floor((((at % to.width) + 0.5) * size.width) / to.width);
        const y = Math.floor(((Math.floor(at / to.width) + 0.5) * size.height) / to.height);
        return whole[y * size.width + x];
      });
      expect([...toBitmapAt(mask, to)]).toEqual(expected);
    }
  }
});
