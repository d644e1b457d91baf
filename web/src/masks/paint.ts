import type { Size } from "../geometry/points";
import { forEachStretch, type Mask } from "./runs";

/** How one mask is drawn: fill and outline opacities from 0 to 1. */
export interface PaintStyle {
  readonly color: readonly [number, number, number];
  readonly fill: number;
  readonly outline: number;
}

export interface PaintedMask {
  readonly mask: Mask;
  readonly style: PaintStyle;
}

/** All masks in one picture, RGBA row by row; later ones lie over earlier ones. */
export function paintMasks(masks: readonly PaintedMask[], size: Size): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(size.width * size.height * 4);
  const width = Math.max(1, Math.round(size.height / 320));
  const bitmap = new Uint8Array(size.width * size.height);
  for (const { mask, style } of masks) {
    const box = fillBitmap(bitmap, mask);
    if (box === null) continue;
    drawOne(pixels, bitmap, { size, box, width }, style);
    clearBitmap(bitmap, mask);
  }
  return pixels;
}

type Bounds = [number, number, number, number];

function fillBitmap(bitmap: Uint8Array, mask: Mask): Bounds | null {
  const box: Bounds = [mask.width, mask.height, 0, 0];
  forEachStretch(mask, (column, from, to) => {
    for (let row = from; row < to; row++) bitmap[row * mask.width + column] = 1;
    box[0] = Math.min(box[0], column);
    box[1] = Math.min(box[1], from);
    box[2] = Math.max(box[2], column + 1);
    box[3] = Math.max(box[3], to);
  });
  return box[2] > box[0] ? box : null;
}

function clearBitmap(bitmap: Uint8Array, mask: Mask): void {
  forEachStretch(mask, (column, from, to) => {
    for (let row = from; row < to; row++) bitmap[row * mask.width + column] = 0;
  });
}

function drawOne(
  pixels: Uint8ClampedArray,
  bitmap: Uint8Array,
  place: { size: Size; box: Bounds; width: number },
  style: PaintStyle,
): void {
  const { size, box, width } = place;
  const [red, green, blue] = style.color;
  const fill = Math.round(style.fill * 255);
  const line = Math.round(style.outline * 255);
  for (let y = box[1]; y < box[3]; y++) {
    for (let x = box[0]; x < box[2]; x++) {
      const at = y * size.width + x;
      if (bitmap[at] === 0) continue;
      const isEdge =
        x < width ||
        y < width ||
        x >= size.width - width ||
        y >= size.height - width ||
        bitmap[at - width] === 0 ||
        bitmap[at + width] === 0 ||
        bitmap[at - width * size.width] === 0 ||
        bitmap[at + width * size.width] === 0;
      const alpha = isEdge ? line : fill;
      if (alpha === 0) continue;
      pixels[at * 4] = red;
      pixels[at * 4 + 1] = green;
      pixels[at * 4 + 2] = blue;
      pixels[at * 4 + 3] = alpha;
    }
  }
}

export function parseColor(color: string): readonly [number, number, number] {
  const value = Number.parseInt(color.slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}
