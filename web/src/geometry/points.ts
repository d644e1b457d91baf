/** Points of different spaces are different types, so that one is never taken for the other. */

declare const space: unique symbol;

/** A point in pixels of the picture, as the server counts them. */
export interface ImagePoint {
  readonly x: number;
  readonly y: number;
  readonly [space]: "image";
}

/** A point in CSS pixels from the top left of the stage. */
export interface ScreenPoint {
  readonly x: number;
  readonly y: number;
  readonly [space]: "screen";
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function imagePoint(x: number, y: number): ImagePoint {
  return { x, y } as ImagePoint;
}

export function screenPoint(x: number, y: number): ScreenPoint {
  return { x, y } as ScreenPoint;
}

export function distance(first: ScreenPoint, second: ScreenPoint): number {
  return Math.hypot(first.x - second.x, first.y - second.y);
}

export function middle(first: ScreenPoint, second: ScreenPoint): ScreenPoint {
  return screenPoint((first.x + second.x) / 2, (first.y + second.y) / 2);
}

export function isInside(point: ImagePoint, size: Size): boolean {
  return point.x >= 0 && point.y >= 0 && point.x < size.width && point.y < size.height;
}

/** The nearest point that the server takes for one inside the picture. */
export function clampToImage(point: ImagePoint, size: Size): ImagePoint {
  const edge = 0.01;
  return imagePoint(
    Math.min(Math.max(point.x, 0), size.width - edge),
    Math.min(Math.max(point.y, 0), size.height - edge),
  );
}
