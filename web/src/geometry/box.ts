import type { ImagePoint, Size } from "./points";

/** Left, top, right, bottom; right and bottom lie outside. */
export type Box = readonly [number, number, number, number];

export function boxBetween(first: ImagePoint, second: ImagePoint, size: Size): Box {
  const clampX = (x: number): number => Math.min(Math.max(x, 0), size.width);
  const clampY = (y: number): number => Math.min(Math.max(y, 0), size.height);
  return [
    clampX(Math.min(first.x, second.x)),
    clampY(Math.min(first.y, second.y)),
    clampX(Math.max(first.x, second.x)),
    clampY(Math.max(first.y, second.y)),
  ];
}

export function boxArea(box: Box): number {
  return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
}
