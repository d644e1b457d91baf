import type { Alpha, Mask, Region } from "./types";

/** Where an object ends: regions, soft edges, growing, and distances. */

export interface Grid {
  readonly width: number;
  readonly height: number;
}

/** A distance where there is nothing to be near to. */
export const FAR = 1e6;

/** The box of a mask with a margin, cut at the picture's rim; null for an empty mask. */
export function regionOf(mask: Mask, grid: Grid, margin: number): Region | null {
  const { width, height } = grid;
  let first = skipOff(mask);
  while (first < mask.length && !mask[first]) first++;
  if (first === mask.length) return null;
  let last = mask.length - 1;
  while (!mask[last]) last--;
  const y0 = Math.floor(first / width);
  const y1 = Math.floor(last / width) + 1;
  let x0 = width;
  let x1 = 0;
  for (let row = y0; row < y1; row++) {
    const start = row * width;
    for (let column = 0; column < x0; column++) if (mask[start + column]) x0 = column;
    for (let column = width - 1; column >= x1; column--) if (mask[start + column]) x1 = column + 1;
  }
  return {
    x0: Math.max(0, x0 - margin),
    y0: Math.max(0, y0 - margin),
    x1: Math.min(width, x1 + margin),
    y1: Math.min(height, y1 + margin),
  };
}

/** A place before which nothing is on; four pixels are looked at at a time. */
function skipOff(mask: Mask): number {
  if (mask.byteOffset % 4 !== 0) return 0;
  const words = new Uint32Array(mask.buffer, mask.byteOffset, mask.length >> 2);
  let place = 0;
  while (place < words.length && words[place] === 0) place++;
  return place * 4;
}

/** The mask with soft edges: two means over 3 pixels along each axis. */
export function softAlpha(mask: Mask, grid: Grid): Alpha {
  const { width, height } = grid;
  const alpha = new Uint8Array(mask.length);
  const region = regionOf(mask, grid, 2);
  if (region === null) return alpha;
  // One row of sums down the columns, with the rim repeated twice on either side.
  const sums = new Uint8Array(width + 4);
  for (let row = region.y0; row < region.y1; row++) {
    const rows = [-2, -1, 0, 1, 2].map((step) => Math.max(0, Math.min(height - 1, row + step)) * width);
    sumColumns(mask, rows, region, sums);
    sums[0] = sums[1] = sums[2];
    sums[width + 3] = sums[width + 2] = sums[width + 1];
    for (let column = region.x0, at = row * width + column; column < region.x1; column++, at++) {
      const near = sums[column + 1] + sums[column + 3];
      alpha[at] = ALPHAS[3 * sums[column + 2] + 2 * near + sums[column] + sums[column + 4]];
    }
  }
  return alpha;
}

const ALPHAS = Uint8Array.from({ length: 82 }, (_, sum) => Math.floor((sum * 255 + 40) / 81));

function sumColumns(mask: Mask, rows: readonly number[], region: Region, sums: Uint8Array): void {
  const [higher, above, here, below, lower] = rows;
  for (let column = region.x0; column < region.x1; column++) {
    const near = mask[above + column] + mask[below + column];
    sums[column + 2] = 3 * mask[here + column] + 2 * near + mask[higher + column] + mask[lower + column];
  }
}

/** The mask with a rim of `radius` pixels more, measured along rows and columns. */
export function grown(mask: Mask, grid: Grid, radius: number): Mask {
  const { width, height } = grid;
  const result = new Uint8Array(mask.length);
  const region = regionOf(mask, grid, 0);
  if (region === null) return result;
  const wide = new Uint8Array(mask.length);
  for (let row = region.y0; row < region.y1; row++) {
    const start = row * width;
    let filled = 0;
    for (let column = region.x0; column < region.x1; column++) {
      if (!mask[start + column]) continue;
      filled = Math.max(filled, column - radius);
      for (; filled <= Math.min(width - 1, column + radius); filled++) wide[start + filled] = 1;
    }
  }
  const top = Math.max(0, region.y0 - radius);
  const bottom = Math.min(height, region.y1 + radius);
  const left = Math.max(0, region.x0 - radius);
  const right = Math.min(width, region.x1 + radius);
  for (let row = region.y0; row < region.y1; row++) {
    for (let column = left; column < right; column++) {
      if (!wide[row * width + column]) continue;
      // Below a pixel that is on, the row above has filled all but the last row.
      const isNew = row === region.y0 || !wide[(row - 1) * width + column];
      const from = isNew ? Math.max(top, row - radius) : Math.min(bottom - 1, row + radius);
      const to = Math.min(bottom - 1, row + radius);
      for (let place = from; place <= to; place++) result[place * width + column] = 1;
    }
  }
  return result;
}

/** Distance of every pixel of a region to the nearest that is on (or off), row by row of the region. */
export function distances(mask: Mask, grid: Grid, region: Region, isToOff = false): Float64Array {
  const width = region.x1 - region.x0;
  const height = region.y1 - region.y0;
  const gaps = columnGaps(mask, grid, region, isToOff);
  const result = new Float64Array(width * height);
  const starts = new Int32Array(width);
  const owners = new Int32Array(width);
  for (let row = 0; row < height; row++) {
    nearestInRow(gaps.subarray(row * width, (row + 1) * width), result.subarray(row * width, (row + 1) * width), {
      starts,
      owners,
    });
  }
  return result;
}

const NONE = 1 << 14;

/** Steps up or down to the nearest pixel of the column. */
function columnGaps(mask: Mask, grid: Grid, region: Region, isToOff: boolean): Int32Array {
  const width = region.x1 - region.x0;
  const height = region.y1 - region.y0;
  const gaps = new Int32Array(width * height);
  for (let row = 0; row < height; row++) {
    const start = (row + region.y0) * grid.width + region.x0;
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      const isNear = (mask[start + column] === 0) === isToOff;
      gaps[at] = isNear ? 0 : row === 0 ? NONE : Math.min(NONE, gaps[at - width] + 1);
    }
  }
  for (let at = width * (height - 1) - 1; at >= 0; at--) gaps[at] = Math.min(gaps[at], gaps[at + width] + 1);
  return gaps;
}

interface Envelope {
  readonly starts: Int32Array;
  readonly owners: Int32Array;
}

/** Lower envelope of parabolas. Source: Meijster, Roerdink, Hesselink, "A general algorithm" (2000). */
function nearestInRow(gaps: Int32Array, result: Float64Array, { starts, owners }: Envelope): void {
  const width = gaps.length;
  let top = -1;
  for (let column = 0; column < width; column++) {
    const gap = gaps[column];
    if (gap >= NONE) continue;
    const height = gap * gap;
    while (top >= 0 && isHigher(gaps, owners[top], starts[top], column, height)) top--;
    if (top < 0) {
      top = 0;
      owners[0] = column;
      starts[0] = 0;
      continue;
    }
    const other = owners[top];
    const meeting = column * column - other * other + height - gaps[other] * gaps[other];
    const start = 1 + Math.floor(meeting / (2 * (column - other)));
    if (start < width) {
      top++;
      owners[top] = column;
      starts[top] = start;
    }
  }
  if (top < 0) {
    result.fill(FAR);
    return;
  }
  for (let column = width - 1; column >= 0; column--) {
    const away = column - owners[top];
    const gap = gaps[owners[top]];
    result[column] = Math.sqrt(away * away + gap * gap);
    if (column === starts[top] && top > 0) top--;
  }
}

function isHigher(gaps: Int32Array, owner: number, at: number, column: number, height: number): boolean {
  return (at - owner) ** 2 + gaps[owner] * gaps[owner] > (at - column) ** 2 + height;
}
