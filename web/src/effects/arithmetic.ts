import type { Alpha, Color, Picture, Region } from "./types";

/** Arithmetic that is the same in Python, bit for bit: whole numbers, rounded in one way only. */

export function pixels(width: number, height: number): Picture {
  return { width, height, data: new Uint8ClampedArray(width * height * 4) };
}

export function copied(picture: Picture): Picture {
  return { width: picture.width, height: picture.height, data: new Uint8ClampedArray(picture.data) };
}

/** A length in pixels, at least 1, in thousandths of the shorter side. */
export function scaled(permille: number, picture: { readonly width: number; readonly height: number }): number {
  return Math.max(1, Math.floor((permille * Math.min(picture.width, picture.height) + 500) / 1000));
}

/** An opacity 0 to 255 from 0 to 100. */
export function percent(amount: number): number {
  return Math.floor((amount * 255 + 50) / 100);
}

/** A number below 65280, to which 127 has been added, divided by 255. */
export function divided(number: number): number {
  return (number + 1 + (number >> 8)) >> 8;
}

export function dimmed(alpha: Alpha, opacity: number): Alpha {
  if (opacity === 255) return alpha;
  const result = new Uint8Array(alpha.length);
  for (let at = 0; at < alpha.length; at++) result[at] = divided(alpha[at] * opacity + 127);
  return result;
}

/** Two opacities multiplied. */
export function product(first: Alpha, second: Alpha): Alpha {
  const result = new Uint8Array(first.length);
  for (let at = 0; at < first.length; at++) result[at] = divided(first[at] * second[at] + 127);
  return result;
}

/** Opacity where something with an opacity of its own lies over it. */
export function covered(alpha: Alpha, cover: Alpha): Alpha {
  const result = new Uint8Array(alpha.length);
  for (let at = 0; at < alpha.length; at++) result[at] = divided(alpha[at] * (255 - cover[at]) + 127);
  return result;
}

/** Lays a picture over another of the same size, in place; with a region only there. */
export function mixPicture(under: Picture, over: Picture, alpha: Alpha, region: Region = wholePicture(under)): void {
  const data = bytesOf(under);
  const top = bytesOf(over);
  for (let row = region.y0; row < region.y1; row++) {
    const last = row * under.width + region.x1;
    for (let place = row * under.width + region.x0; place < last; place++) {
      const opacity = alpha[place];
      if (opacity === 0) continue;
      const at = place * 4;
      if (opacity === 255) {
        data[at] = top[at];
        data[at + 1] = top[at + 1];
        data[at + 2] = top[at + 2];
        continue;
      }
      const rest = 255 - opacity;
      data[at] = divided(data[at] * rest + top[at] * opacity + 127);
      data[at + 1] = divided(data[at + 1] * rest + top[at + 1] * opacity + 127);
      data[at + 2] = divided(data[at + 2] * rest + top[at + 2] * opacity + 127);
    }
  }
}

/** Lays a colour over a picture, in place; with a region only there. */
export function mixColor(under: Picture, color: Color, alpha: Alpha | number, region: Region = wholePicture(under)): void {
  const data = bytesOf(under);
  const [red, green, blue] = color;
  const fixed = typeof alpha === "number" ? alpha : -1;
  const varied = typeof alpha === "number" ? NOTHING : alpha;
  for (let row = region.y0; row < region.y1; row++) {
    const last = row * under.width + region.x1;
    for (let place = row * under.width + region.x0; place < last; place++) {
      const opacity = fixed >= 0 ? fixed : varied[place];
      if (opacity === 0) continue;
      const at = place * 4;
      if (opacity === 255) {
        data[at] = red;
        data[at + 1] = green;
        data[at + 2] = blue;
        continue;
      }
      const rest = 255 - opacity;
      data[at] = divided(data[at] * rest + red * opacity + 127);
      data[at + 1] = divided(data[at + 1] * rest + green * opacity + 127);
      data[at + 2] = divided(data[at + 2] * rest + blue * opacity + 127);
    }
  }
}

const NOTHING = new Uint8Array(0);

export function wholePicture(picture: Picture): Region {
  return { x0: 0, y0: 0, x1: picture.width, y1: picture.height };
}

/** The same bytes without clamping, which is faster to write to. */
export function bytesOf(picture: Picture): Uint8Array {
  return new Uint8Array(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
}

/** Brightness after ITU-R BT.601, in 256ths. */
export function luma(data: Uint8Array, at: number): number {
  return (77 * data[at] + 150 * data[at + 1] + 29 * data[at + 2] + 128) >> 8;
}

/** Every channel times a percentage. */
export function brightened(picture: Picture, percents: number): Picture {
  const result = copied(picture);
  if (percents === 100) return result;
  const table = Uint8Array.from({ length: 256 }, (_, level) =>
    Math.min(255, Math.floor((level * percents + 50) / 100)),
  );
  const data = bytesOf(result);
  for (let at = 0; at < data.length; at += 4) {
    data[at] = table[data[at]];
    data[at + 1] = table[data[at + 1]];
    data[at + 2] = table[data[at + 2]];
  }
  return result;
}

/** The mean over a square of `2 * radius + 1` pixels, rounded to the nearest; pixels at the rim count again. */
export function boxBlurred(picture: Picture, radius: number): Picture {
  const { width, height } = picture;
  const source = bytesOf(picture);
  const result = pixels(width, height);
  // Sums of columns, red, green and blue, with those of the rim repeated on either side.
  const columns = new Int32Array((width + 2 * radius + 1) * 3);
  const inner = columns.subarray(radius * 3, (radius + width) * 3);
  for (let row = -radius; row <= radius; row++) addRow(inner, source, clamped(row, height) * width * 4);
  const target = bytesOf(result);
  for (let row = 0; row < height; row++) {
    repeatRim(columns, radius, width);
    blurRow(columns, target.subarray(row * width * 4, (row + 1) * width * 4), radius);
    const into = clamped(row + radius + 1, height);
    const out = clamped(row - radius, height);
    if (into !== out) moveRows(inner, source, into * width * 4, out * width * 4);
  }
  return result;
}

function clamped(place: number, length: number): number {
  return Math.max(0, Math.min(length - 1, place));
}

function addRow(columns: Int32Array, source: Uint8Array, start: number): void {
  for (let at = start, to = 0; to < columns.length; at += 4, to += 3) {
    columns[to] += source[at];
    columns[to + 1] += source[at + 1];
    columns[to + 2] += source[at + 2];
  }
}

function moveRows(columns: Int32Array, source: Uint8Array, into: number, out: number): void {
  for (let to = 0, first = into, second = out; to < columns.length; to += 3, first += 4, second += 4) {
    columns[to] += source[first] - source[second];
    columns[to + 1] += source[first + 1] - source[second + 1];
    columns[to + 2] += source[first + 2] - source[second + 2];
  }
}

function repeatRim(columns: Int32Array, radius: number, width: number): void {
  const first = radius * 3;
  const last = (radius + width - 1) * 3;
  for (let at = 0; at < first; at++) columns[at] = columns[first + (at % 3)];
  for (let at = last + 3; at < columns.length; at++) columns[at] = columns[last + (at % 3)];
}

function blurRow(columns: Int32Array, target: Uint8Array, radius: number): void {
  const area = (2 * radius + 1) ** 2;
  // Half of a step more than rounding asks for, so that a product a trifle too small still rounds alike.
  const half = (area - 1) / 2 + 0.5;
  const inverse = 1 / area;
  let [red, green, blue] = [0, 0, 0];
  const reach = (2 * radius + 1) * 3;
  for (let at = 0; at < reach; at += 3) {
    red += columns[at];
    green += columns[at + 1];
    blue += columns[at + 2];
  }
  for (let to = 0, out = 0, into = reach; to < target.length; to += 4, out += 3, into += 3) {
    target[to] = (red + half) * inverse;
    target[to + 1] = (green + half) * inverse;
    target[to + 2] = (blue + half) * inverse;
    target[to + 3] = 255;
    red += columns[into] - columns[out];
    green += columns[into + 1] - columns[out + 1];
    blue += columns[into + 2] - columns[out + 2];
  }
}

/** 32 bits that look random and are the same everywhere for the same three whole numbers. */
export function hashed(seed: number, index: number, cell: number): number {
  let word = Math.imul(seed, 0x9e3779b1) ^ Math.imul(index, 0x85ebca6b) ^ Math.imul(cell, 0xc2b2ae35);
  word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
  return (word ^ (word >>> 16)) >>> 0;
}

/** An opacity from 0 to 1, cut to that range, as a byte. */
export function asAlpha(opacity: number): number {
  return opacity <= 0 ? 0 : opacity >= 1 ? 255 : Math.floor(opacity * 255 + 0.5);
}
