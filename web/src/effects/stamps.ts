import { catalogue } from "./catalogue";
import type { Picture } from "./types";

/** Small pictures: painted once at one size, then laid over images at any size. */

const MASTER = 256;
const GRID = 1000;
const NUM_LINES = 4;
const MAX_KEPT = 64;

/** Colours times opacity, then opacity: four numbers per pixel. */
interface Painted {
  readonly side: number;
  readonly numbers: Int32Array;
}

const masters = new Map<string, Painted>();
const kept = new Map<string, Painted>();

function masterOf(name: string): Painted {
  const known = masters.get(name);
  if (known !== undefined) return known;
  const numbers = new Int32Array(MASTER * MASTER * 4);
  for (const patch of catalogue.shapes[name]) {
    const alpha = polygonAlpha(patch.polygon);
    const over = [...patch.color, 255];
    for (let at = 0; at < alpha.length; at++) {
      if (alpha[at] === 0) continue;
      for (let channel = 0; channel < 4; channel++) {
        const to = at * 4 + channel;
        numbers[to] = ((numbers[to] * (255 - alpha[at]) + over[channel] * alpha[at] + 127) / 255) | 0;
      }
    }
  }
  const painted = { side: MASTER, numbers };
  masters.set(name, painted);
  return painted;
}

/** How much of each pixel lies inside; even-odd rule. */
function polygonAlpha(polygon: readonly number[]): Int32Array {
  const unit = MASTER / GRID;
  const points = polygon.map((number) => number * unit);
  const cover = new Float64Array(MASTER * MASTER);
  for (let line = 0; line < MASTER * NUM_LINES; line++) {
    const crossings = crossingsOf(points, (line + 0.5) / NUM_LINES);
    const start = Math.floor(line / NUM_LINES) * MASTER;
    for (let pair = 0; pair + 1 < crossings.length; pair += 2) {
      const [left, right] = [crossings[pair], crossings[pair + 1]];
      for (let column = Math.max(0, Math.floor(left)); column < Math.min(MASTER, Math.ceil(right)); column++) {
        cover[start + column] += unitOf(right - column) - unitOf(left - column);
      }
    }
  }
  return Int32Array.from(cover, (share) => Math.floor((share * 255) / NUM_LINES + 0.5));
}

function unitOf(number: number): number {
  return Math.max(0, Math.min(1, number));
}

function crossingsOf(points: readonly number[], y: number): number[] {
  const found: number[] = [];
  let x0 = points[points.length - 2];
  let y0 = points[points.length - 1];
  for (let at = 0; at < points.length; at += 2) {
    const x1 = points[at];
    const y1 = points[at + 1];
    if (y0 <= y !== y1 <= y) found.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
    x0 = x1;
    y0 = y1;
  }
  return found.sort((first, second) => first - second);
}

function halved(painted: Painted): Painted {
  const side = painted.side >> 1;
  const numbers = new Int32Array(side * side * 4);
  for (let row = 0; row < side; row++) {
    for (let at = 0; at < side * 4; at++) {
      const from = (2 * row * painted.side + 2 * (at >> 2)) * 4 + (at & 3);
      const below = from + painted.side * 4;
      const { numbers: old } = painted;
      numbers[row * side * 4 + at] = (old[from] + old[from + 4] + old[below] + old[below + 4] + 2) >> 2;
    }
  }
  return { side, numbers };
}

function resized(name: string, side: number): Painted {
  const key = `${name}|${side}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  let painted = masterOf(name);
  while (painted.side >= 2 * side && painted.side > 1) painted = halved(painted);
  const result = { side, numbers: new Int32Array(side * side * 4) };
  const places = Int32Array.from({ length: side }, (_, place) => placeOf(place, side, painted.side));
  for (let row = 0; row < side; row++) sampleRow(painted, result, places, row);
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, result);
  return result;
}

/** The centre of a new pixel in 256ths of an old one. */
function placeOf(place: number, side: number, oldSide: number): number {
  const middle = Math.floor(((2 * place + 1) * oldSide * 128) / side) - 128;
  return Math.max(0, Math.min((oldSide - 1) * 256, middle));
}

function sampleRow(painted: Painted, result: Painted, places: Int32Array, row: number): void {
  const { numbers: old, side } = painted;
  const upper = places[row] >> 8;
  const lower = Math.min(upper + 1, side - 1);
  const down = places[row] & 255;
  for (let column = 0; column < result.side; column++) {
    const left = places[column] >> 8;
    const right = Math.min(left + 1, side - 1);
    const along = places[column] & 255;
    for (let channel = 0; channel < 4; channel++) {
      const first = old[(upper * side + left) * 4 + channel] * (256 - down) + old[(lower * side + left) * 4 + channel] * down;
      const second =
        old[(upper * side + right) * 4 + channel] * (256 - down) + old[(lower * side + right) * 4 + channel] * down;
      result.numbers[(row * result.side + column) * 4 + channel] = (first * (256 - along) + second * along + 32768) >> 16;
    }
  }
}

/** Lays a picture over the canvas, in place; what lies outside is cut. */
export function stamp(canvas: Picture, name: string, side: number, centerX: number, centerY: number): void {
  const left = centerX - (side >> 1);
  const top = centerY - (side >> 1);
  const { numbers } = resized(name, side);
  for (let y = Math.max(0, top); y < Math.min(canvas.height, top + side); y++) {
    for (let x = Math.max(0, left); x < Math.min(canvas.width, left + side); x++) {
      const from = ((y - top) * side + x - left) * 4;
      const opacity = numbers[from + 3];
      if (opacity === 0) continue;
      const to = (y * canvas.width + x) * 4;
      for (let channel = 0; channel < 3; channel++) {
        const below = ((canvas.data[to + channel] * (255 - opacity) + 127) / 255) | 0;
        canvas.data[to + channel] = numbers[from + channel] + below;
      }
    }
  }
}
