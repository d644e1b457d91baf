import type { ImagePoint, Size } from "./points";

/** Pixels row by row, 0 or 1. */
export type Bitmap = Uint8Array;

/** Set all pixels whose middle lies inside a polygon (even-odd). */
export function fillPolygon(bitmap: Bitmap, size: Size, polygon: readonly ImagePoint[], value: 0 | 1): void {
  if (polygon.length < 3) return;
  const ys = polygon.map((point) => point.y);
  const first = Math.max(0, Math.floor(Math.min(...ys)));
  const last = Math.min(size.height - 1, Math.ceil(Math.max(...ys)));
  for (let row = first; row <= last; row++) {
    const crossings = crossingsOf(polygon, row + 0.5);
    for (let place = 0; place + 1 < crossings.length; place += 2) {
      const start = Math.max(0, Math.ceil(crossings[place] - 0.5));
      const stop = Math.min(size.width, Math.ceil(crossings[place + 1] - 0.5));
      if (stop > start) bitmap.fill(value, row * size.width + start, row * size.width + stop);
    }
  }
}

function crossingsOf(polygon: readonly ImagePoint[], y: number): number[] {
  const found: number[] = [];
  let before = polygon[polygon.length - 1];
  for (const point of polygon) {
    if (before.y <= y !== point.y <= y) {
      found.push(before.x + ((y - before.y) / (point.y - before.y)) * (point.x - before.x));
    }
    before = point;
  }
  return found.sort((a, b) => a - b);
}

/** Set all pixels within a radius of the line between two points: one stroke of a round brush. */
export function drawStroke(
  bitmap: Bitmap,
  size: Size,
  [from, to]: readonly [ImagePoint, ImagePoint],
  radius: number,
  value: 0 | 1,
): void {
  const left = Math.max(0, Math.floor(Math.min(from.x, to.x) - radius));
  const right = Math.min(size.width - 1, Math.ceil(Math.max(from.x, to.x) + radius));
  const top = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
  const bottom = Math.min(size.height - 1, Math.ceil(Math.max(from.y, to.y) + radius));
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const length = dx * dx + dy * dy;
  for (let y = top; y <= bottom; y++) {
    for (let x = left; x <= right; x++) {
      const px = x + 0.5 - from.x;
      const py = y + 0.5 - from.y;
      const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * dx + py * dy) / length));
      const ex = px - along * dx;
      const ey = py - along * dy;
      if (ex * ex + ey * ey <= radius * radius) bitmap[y * size.width + x] = value;
    }
  }
}
