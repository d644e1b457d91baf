import { asAlpha, bytesOf, copied, divided, scaled } from "./arithmetic";
import { optionOf, wholeOf } from "./catalogue";
import { regionOf, softAlpha } from "./edges";
import type { Alpha, Mask, Picture, Region, RenderBackground, RenderObject, Values } from "./types";

/** Large squares or dots of one colour each. */

const GROUND_LEVEL = 60;

export const pixelateBackground: RenderBackground = (ground, _scene, values) => {
  const picture = copied(ground);
  paint(picture, { x0: 0, y0: 0, x1: ground.width, y1: ground.height }, null, values);
  return picture;
};

export const pixelateObject: RenderObject = (canvas, layer, values) => {
  const region = regionOf(layer.mask, canvas, 2);
  if (region === null) return;
  const side = scaled(wholeOf(values, "cell"), canvas);
  // Cells keep their place in the picture, so that they do not swim with the object.
  const whole = { ...region, x0: region.x0 - (region.x0 % side), y0: region.y0 - (region.y0 % side) };
  paint(canvas, whole, { mask: layer.mask, alpha: softAlpha(layer.mask, canvas) }, values);
};

interface Shown {
  readonly mask: Mask;
  readonly alpha: Alpha;
}

/** Paints cells over a part of a picture, in place; an object's in the mean colour of its own pixels. */
function paint(picture: Picture, region: Region, shown: Shown | null, values: Values): void {
  const side = scaled(wholeOf(values, "cell"), picture);
  const dots = optionOf(values, "shape") === "dot" ? dotsOf(side) : null;
  for (let y0 = region.y0; y0 < region.y1; y0 += side) {
    for (let x0 = region.x0; x0 < region.x1; x0 += side) {
      const cell = { x0, y0, x1: Math.min(region.x1, x0 + side), y1: Math.min(region.y1, y0 + side) };
      paintCell(picture, cell, shown, dots, side);
    }
  }
}

function paintCell(picture: Picture, cell: Region, shown: Shown | null, dots: Alpha | null, side: number): void {
  const color = meanOf(picture, cell, shown?.mask ?? null);
  const { width } = picture;
  const data = bytesOf(picture);
  if (shown === null) {
    if (dots === null) fillCell(picture, cell, color);
    else dotCell(picture, cell, color, dots, side);
    return;
  }
  for (let row = cell.y0; row < cell.y1; row++) {
    for (let column = cell.x0; column < cell.x1; column++) {
      const place = row * width + column;
      const opacity = shown.alpha[place];
      if (opacity === 0) continue;
      const dot = dots === null ? 255 : dots[(row - cell.y0) * side + column - cell.x0];
      for (let channel = 0; channel < 3; channel++) {
        const dark = divided(GROUND_LEVEL * color[channel] + 127);
        const over = divided(dark * (255 - dot) + color[channel] * dot + 127);
        const at = place * 4 + channel;
        data[at] = divided(data[at] * (255 - opacity) + over * opacity + 127);
      }
    }
  }
}

/** One colour; four bytes at a time, which is faster. */
function fillCell(picture: Picture, cell: Region, color: readonly number[]): void {
  const [pixel] = new Uint32Array(Uint8Array.of(...color, 255).buffer);
  const words = new Uint32Array(picture.data.buffer, picture.data.byteOffset, picture.data.length >> 2);
  for (let row = cell.y0; row < cell.y1; row++) {
    words.fill(pixel, row * picture.width + cell.x0, row * picture.width + cell.x1);
  }
}

/** A dot on the dark of its own colour. */
function dotCell(picture: Picture, cell: Region, color: readonly number[], dots: Alpha, side: number): void {
  const data = bytesOf(picture);
  const [red, green, blue] = color;
  const [darkRed, darkGreen, darkBlue] = color.map((level) => divided(GROUND_LEVEL * level + 127));
  for (let row = cell.y0; row < cell.y1; row++) {
    let place = (row - cell.y0) * side;
    for (let at = (row * picture.width + cell.x0) * 4; at < (row * picture.width + cell.x1) * 4; at += 4, place++) {
      const dot = dots[place];
      const rest = 255 - dot;
      data[at] = divided(darkRed * rest + red * dot + 127);
      data[at + 1] = divided(darkGreen * rest + green * dot + 127);
      data[at + 2] = divided(darkBlue * rest + blue * dot + 127);
    }
  }
}

function meanOf(picture: Picture, cell: Region, mask: Mask | null): number[] {
  const { width } = picture;
  const data = bytesOf(picture);
  let red = 0;
  let green = 0;
  let blue = 0;
  let count = 0;
  for (let row = cell.y0; row < cell.y1; row++) {
    for (let column = cell.x0; column < cell.x1; column++) {
      const place = row * width + column;
      if (mask !== null && !mask[place]) continue;
      red += data[place * 4];
      green += data[place * 4 + 1];
      blue += data[place * 4 + 2];
      count++;
    }
  }
  const half = count >> 1;
  return [red, green, blue].map((sum) => Math.floor((sum + half) / Math.max(1, count)));
}

/** A disc in a cell. */
function dotsOf(side: number): Alpha {
  const dots = new Uint8Array(side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const y = row + 0.5 - side / 2;
      const x = column + 0.5 - side / 2;
      dots[row * side + column] = asAlpha(side * 0.46 + 0.5 - Math.sqrt(x * x + y * y));
    }
  }
  return dots;
}
