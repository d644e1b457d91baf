import type { Box } from "../geometry/box";
import type { Size } from "../geometry/points";
import type { Bitmap } from "../geometry/shapes";

/** A mask as lengths of runs down the columns from the top left, the first one off, as in COCO. */
export interface Mask extends Size {
  readonly runs: Uint32Array;
}

export function emptyMask(size: Size): Mask {
  return { width: size.width, height: size.height, runs: Uint32Array.of(size.width * size.height) };
}

export function areaOf(mask: Mask): number {
  let area = 0;
  for (let place = 1; place < mask.runs.length; place += 2) area += mask.runs[place];
  return area;
}

export function contains(mask: Mask, x: number, y: number): boolean {
  const column = Math.floor(x);
  const row = Math.floor(y);
  if (column < 0 || row < 0 || column >= mask.width || row >= mask.height) return false;
  const wanted = column * mask.height + row;
  let end = 0;
  for (let place = 0; place < mask.runs.length; place++) {
    end += mask.runs[place];
    if (wanted < end) return place % 2 === 1;
  }
  return false;
}

/** Calls back for every stretch that is on: column, first row, row after the last. */
export function forEachStretch(mask: Mask, visit: (column: number, from: number, to: number) => void): void {
  const { height, runs } = mask;
  let start = 0;
  for (let place = 0; place < runs.length; place++) {
    const stop = start + runs[place];
    if (place % 2 === 1) {
      for (let at = start; at < stop; ) {
        const column = Math.floor(at / height);
        const end = Math.min(stop, (column + 1) * height);
        visit(column, at - column * height, end - column * height);
        at = end;
      }
    }
    start = stop;
  }
}

/** The stretches that are on, column by column: those of column x are first[x] to first[x + 1]. */
export interface Stretches {
  readonly first: Uint32Array;
  readonly from: number[];
  readonly to: number[];
}

export function stretchesOf(mask: Mask): Stretches {
  const first = new Uint32Array(mask.width + 1);
  const found: Stretches = { first, from: [], to: [] };
  forEachStretch(mask, (column, from, to) => {
    found.from.push(from);
    found.to.push(to);
    first[column + 1]++;
  });
  for (let column = 0; column < mask.width; column++) first[column + 1] += first[column];
  return found;
}

/** The mask at another size: on where the mask is on under a pixel's middle. */
export function toBitmapAt(mask: Mask, { width, height }: Size): Bitmap {
  const bitmap = new Uint8Array(width * height);
  const { first, from, to } = stretchesOf(mask);
  const rowAt = (row: number): number => Math.ceil((row * height) / mask.height - 0.5);
  for (let x = 0; x < width; x++) {
    const column = Math.floor(((x + 0.5) * mask.width) / width);
    for (let at = first[column]; at < first[column + 1]; at++) {
      const end = rowAt(to[at]);
      for (let y = rowAt(from[at]); y < end; y++) bitmap[y * width + x] = 1;
    }
  }
  return bitmap;
}

/** The smallest box around a mask, or null when nothing is on. */
export function boxOf(mask: Mask): Box | null {
  let left = mask.width;
  let top = mask.height;
  let right = 0;
  let bottom = 0;
  forEachStretch(mask, (column, from, to) => {
    left = Math.min(left, column);
    right = Math.max(right, column + 1);
    top = Math.min(top, from);
    bottom = Math.max(bottom, to);
  });
  return right > left ? [left, top, right, bottom] : null;
}

export function toBitmap(mask: Mask): Bitmap {
  const bitmap = new Uint8Array(mask.width * mask.height);
  forEachStretch(mask, (column, from, to) => {
    for (let row = from; row < to; row++) bitmap[row * mask.width + column] = 1;
  });
  return bitmap;
}

export function fromBitmap(bitmap: Bitmap, size: Size): Mask {
  const runs: number[] = [];
  let value = 0;
  let length = 0;
  for (let column = 0; column < size.width; column++) {
    for (let at = column; at < bitmap.length; at += size.width) {
      if (bitmap[at] !== value) {
        runs.push(length);
        value = bitmap[at];
        length = 0;
      }
      length++;
    }
  }
  runs.push(length);
  return { width: size.width, height: size.height, runs: Uint32Array.from(runs) };
}

export function union(first: Mask, second: Mask): Mask {
  return combine(first, second, (a, b) => a || b);
}

export function subtract(first: Mask, second: Mask): Mask {
  return combine(first, second, (a, b) => a && !b);
}

export function intersection(first: Mask, second: Mask): Mask {
  return combine(first, second, (a, b) => a && b);
}

/** Walks two masks at once; costs as much as they have runs. */
function combine(first: Mask, second: Mask, isOn: (a: boolean, b: boolean) => boolean): Mask {
  if (first.width !== second.width || first.height !== second.height) {
    throw new RangeError("Masks of different sizes cannot be combined.");
  }
  const total = first.width * first.height;
  const runs: number[] = [];
  let [placeA, placeB] = [0, 0];
  let [endA, endB] = [first.runs[0] ?? total, second.runs[0] ?? total];
  let [at, start, value] = [0, 0, false];
  while (at < total) {
    const next = isOn(placeA % 2 === 1, placeB % 2 === 1);
    if (next !== value) {
      runs.push(at - start);
      [start, value] = [at, next];
    }
    at = Math.min(endA, endB, total);
    while (at < total && endA <= at) endA += first.runs[++placeA] ?? total;
    while (at < total && endB <= at) endB += second.runs[++placeB] ?? total;
  }
  runs.push(total - start);
  return { width: first.width, height: first.height, runs: Uint32Array.from(runs) };
}
