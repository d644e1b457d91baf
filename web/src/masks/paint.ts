import type { Box } from "../geometry/box";
import type { Size } from "../geometry/points";
import { boxOf, stretchesOf, type Mask, type Stretches } from "./runs";

/** How one mask is drawn: opacities from 0 to 1 of its fill, its outline and, where there is one, a white rim around that. */
export interface PaintStyle {
  readonly color: readonly [number, number, number];
  readonly fill: number;
  readonly outline: number;
  readonly rim?: number;
}

export interface PaintedMask {
  readonly mask: Mask;
  readonly style: PaintStyle;
}

/** What there is to paint with a pixel around it, so that its edge stays soft when it is enlarged; at least one pixel. */
export function paintedBox(masks: readonly PaintedMask[], size: Size): Box {
  const boxes = masks.flatMap(({ mask }) => [boxOf(mask)]).filter((box) => box !== null);
  const least = (side: 0 | 1): number => Math.max(0, Math.min(...boxes.map((box) => box[side])) - 1);
  const most = (side: 2 | 3, end: number): number => Math.min(end, Math.max(...boxes.map((box) => box[side])) + 1);
  return boxes.length === 0 ? [0, 0, 1, 1] : [least(0), least(1), most(2, size.width), most(3, size.height)];
}

/** All masks in one picture of a box, RGBA row by row; later ones lie over earlier ones. */
export function paintMasks(
  masks: readonly PaintedMask[],
  size: Size,
  box: Box = [0, 0, size.width, size.height],
): Uint8ClampedArray<ArrayBuffer> {
  // down the columns, as the runs go, so that a run is one fill
  const columns = new Uint32Array(size.width * size.height);
  const lineWidth = Math.max(1, Math.round(size.height / 320));
  for (const { mask, style } of masks) drawOne(columns, stretchesOf(mask), { size, lineWidth }, style);
  return new Uint8ClampedArray(transposed(columns, size.height, box).buffer);
}

interface Paper {
  readonly size: Size;
  readonly lineWidth: number;
}

/** The whole mask as a line, and over it what is further than the line's width from every edge; a rim is a line more. */
function drawOne(columns: Uint32Array, mask: Stretches, { size, lineWidth }: Paper, style: PaintStyle): void {
  const rim = style.rim ?? 0;
  const rimWidth = rim > 0 ? Math.max(1, Math.round(lineWidth / 2)) : 0;
  if (rim > 0) drawInner(columns, mask, { size, lineWidth: 0 }, packed(WHITE, rim));
  drawInner(columns, mask, { size, lineWidth: rimWidth }, packed(style.color, style.outline));
  drawInner(columns, mask, { size, lineWidth: rimWidth + lineWidth }, packed(style.color, style.fill));
}

const WHITE = [255, 255, 255] as const;

/** What is further than a line's width from every edge. */
function drawInner(columns: Uint32Array, mask: Stretches, { size, lineWidth }: Paper, ink: number): void {
  const { first, from, to } = mask;
  for (let x = lineWidth; x < size.width - lineWidth; x++) {
    const base = x * size.height;
    for (let at = first[x]; at < first[x + 1]; at++) {
      if (lineWidth === 0) {
        columns.fill(ink, base + from[at], base + to[at]);
        continue;
      }
      const inside = [from[at] + lineWidth, to[at] - lineWidth] as const;
      forEachOverlap(mask, x - lineWidth, inside, (start, stop) => {
        forEachOverlap(mask, x + lineWidth, [start, stop], (a, b) => { columns.fill(ink, base + a, base + b); });
      });
    }
  }
}

/** Calls back for every part of a range of rows in which a column is on. */
function forEachOverlap(
  { first, from, to }: Stretches,
  column: number,
  [start, stop]: readonly [number, number],
  visit: (start: number, stop: number) => void,
): void {
  for (let at = first[column]; at < first[column + 1] && from[at] < stop; at++) {
    const [a, b] = [Math.max(start, from[at]), Math.min(stop, to[at])];
    if (a < b) visit(a, b);
  }
}

const BLOCK = 32;

/** Row by row, of a box, what was column by column; in blocks that stay in the cache. */
function transposed(columns: Uint32Array, height: number, [x0, y0, x1, y1]: Box): Uint32Array<ArrayBuffer> {
  const width = x1 - x0;
  const rows = new Uint32Array(width * (y1 - y0));
  for (let left = x0; left < x1; left += BLOCK) {
    const right = Math.min(x1, left + BLOCK);
    for (let top = y0; top < y1; top += BLOCK) {
      const bottom = Math.min(y1, top + BLOCK);
      for (let x = left; x < right; x++) {
        for (let y = top; y < bottom; y++) rows[(y - y0) * width + x - x0] = columns[x * height + y];
      }
    }
  }
  return rows;
}

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** RGBA as one number; nothing at all where it cannot be seen. */
function packed([red, green, blue]: readonly [number, number, number], opacity: number): number {
  const alpha = Math.round(opacity * 255);
  if (alpha === 0) return 0;
  const bytes = isLittleEndian ? [alpha, blue, green, red] : [red, green, blue, alpha];
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

export function parseColor(color: string): readonly [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
