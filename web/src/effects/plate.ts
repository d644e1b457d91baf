import { bytesOf, copied, scaled } from "./arithmetic";
import { mixGuesses } from "./guesses";
import { grown, regionOf } from "./edges";
import type { Mask, Picture } from "./types";

/**
 * The clean plate: a frame with its objects taken out, filled from all around them. Three guesses are mixed: straight from
 * side to side, straight from top to bottom, each the more the more alike its ends are, and one without a direction, for
 * which known pixels are averaged into ever coarser levels until the hole is closed.
 */

const RIM = 8;
const REACH = 120;
const NUM_SMOOTHINGS = 1;
const UNKNOWN = 128;

export interface Level {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue. */
  readonly colors: Int32Array;
  readonly known: Uint8Array;
}

/** Pixels around a mask that still show some of the object. */
export function removalRim(picture: Picture): number {
  return scaled(RIM, picture);
}

export function cleanPlate(frame: Picture, objects: Mask): Picture {
  const rim = removalRim(frame);
  const plate = copied(frame);
  const source = bytesOf(frame);
  const target = bytesOf(plate);
  const region = regionOf(objects, frame, rim + scaled(REACH, frame));
  if (region === null) return plate;
  const unknown = grown(objects, frame, rim);
  const width = region.x1 - region.x0;
  const height = region.y1 - region.y0;
  const level: Level = {
    width,
    height,
    colors: new Int32Array(width * height * 3),
    known: new Uint8Array(width * height),
  };
  const { colors, known } = level;
  for (let row = 0, to = 0; row < height; row++) {
    let from = (row + region.y0) * frame.width + region.x0;
    for (let column = 0; column < width; column++, from++, to++) {
      known[to] = unknown[from] ? 0 : 1;
      colors[to * 3] = source[from * 4];
      colors[to * 3 + 1] = source[from * 4 + 1];
      colors[to * 3 + 2] = source[from * 4 + 2];
    }
  }
  fill(level);
  const holes = holesOf(known);
  const guessed = mixGuesses(level, holes);
  for (const from of holes) {
    const row = (from / width) | 0;
    const to = ((row + region.y0) * frame.width + from - row * width + region.x0) * 4;
    target[to] = guessed[from * 3];
    target[to + 1] = guessed[from * 3 + 1];
    target[to + 2] = guessed[from * 3 + 2];
  }
  return plate;
}

/** Fills the unknown pixels, in place. */
function fill(level: Level): void {
  if (!level.known.includes(0)) return;
  if (!level.known.includes(1)) {
    level.colors.fill(UNKNOWN);
    return;
  }
  const coarse = halved(level);
  fill(coarse);
  const holes = holesOf(level.known);
  takeFrom(coarse, level, holes);
  const smooth = new Int32Array(holes.length * 3);
  for (let round = 0; round < NUM_SMOOTHINGS; round++) smoothen(level, holes, smooth);
}

function holesOf(known: Uint8Array): Int32Array {
  let count = 0;
  for (const one of known) count += 1 - one;
  const holes = new Int32Array(count);
  for (let at = 0, to = 0; at < known.length; at++) if (!known[at]) holes[to++] = at;
  return holes;
}

/** Means over the known ones of four pixels. */
function halved(level: Level): Level {
  const width = (level.width + 1) >> 1;
  const height = (level.height + 1) >> 1;
  const colors = new Int32Array(width * height * 3);
  const known = new Uint8Array(width * height);
  for (let row = 0; row < level.height; row++) {
    for (let column = 0; column < level.width; column++) {
      const from = row * level.width + column;
      if (!level.known[from]) continue;
      const to = (row >> 1) * width + (column >> 1);
      known[to]++;
      colors[to * 3] += level.colors[from * 3];
      colors[to * 3 + 1] += level.colors[from * 3 + 1];
      colors[to * 3 + 2] += level.colors[from * 3 + 2];
    }
  }
  for (let at = 0; at < known.length; at++) {
    const count = known[at];
    if (count === 0) continue;
    const half = count >> 1;
    for (let place = at * 3; place < at * 3 + 3; place++) colors[place] = ((colors[place] + half) / count) | 0;
    known[at] = 1;
  }
  return { width, height, colors, known };
}

/** Unknown pixels between the centres of the coarser ones, 9 : 3 : 3 : 1, in place. */
function takeFrom(coarse: Level, level: Level, holes: Int32Array): void {
  const { colors } = coarse;
  const { width } = level;
  for (const at of holes) {
    const row = (at / width) | 0;
    const column = at - row * width;
    const near = (row >> 1) * coarse.width;
    const far = other(row, coarse.height) * coarse.width;
    const here = column >> 1;
    const there = other(column, coarse.width);
    const first = (near + here) * 3;
    const second = (far + here) * 3;
    const third = (near + there) * 3;
    const fourth = (far + there) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const middle = 3 * colors[first + channel] + colors[second + channel];
      const beside = 3 * colors[third + channel] + colors[fourth + channel];
      level.colors[at * 3 + channel] = (3 * middle + beside + 8) >> 4;
    }
  }
}

/** The next nearest coarser pixel. */
function other(place: number, length: number): number {
  return Math.max(0, Math.min(length - 1, (place >> 1) + ((place & 1) === 0 ? -1 : 1)));
}

/** Means of the pixels above, below, left and right for the unknown ones, in place. */
function smoothen(level: Level, holes: Int32Array, smooth: Int32Array): void {
  const { width, height, colors } = level;
  const last = (height - 1) * width;
  for (let number = 0, to = 0; number < holes.length; number++, to += 3) {
    const at = holes[number];
    const column = at % width;
    const above = (at >= width ? at - width : at) * 3;
    const below = (at < last ? at + width : at) * 3;
    const left = (column > 0 ? at - 1 : at) * 3;
    const right = (column < width - 1 ? at + 1 : at) * 3;
    smooth[to] = (colors[above] + colors[below] + colors[left] + colors[right] + 2) >> 2;
    smooth[to + 1] = (colors[above + 1] + colors[below + 1] + colors[left + 1] + colors[right + 1] + 2) >> 2;
    smooth[to + 2] = (colors[above + 2] + colors[below + 2] + colors[left + 2] + colors[right + 2] + 2) >> 2;
  }
  for (let number = 0, from = 0; number < holes.length; number++, from += 3) {
    const to = holes[number] * 3;
    colors[to] = smooth[from];
    colors[to + 1] = smooth[from + 1];
    colors[to + 2] = smooth[from + 2];
  }
}
