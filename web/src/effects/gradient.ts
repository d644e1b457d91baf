import { bytesOf, copied, dimmed, divided, luma, percent } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { regionOf, softAlpha } from "./edges";
import type { Alpha, Picture, Region, RenderBackground, RenderObject, Values } from "./types";

/** One colour running into another, over the light and shade of the picture. */

const NUM_STEPS = 1024;

export const gradientBackground: RenderBackground = (ground, _scene, values) => {
  const picture = copied(ground);
  const whole = { x0: 0, y0: 0, x1: ground.width, y1: ground.height };
  paint(picture, whole, values, percent(wholeOf(values, "strength")));
  return picture;
};

export const gradientObject: RenderObject = (canvas, layer, values) => {
  const region = regionOf(layer.mask, canvas, 2);
  if (region === null) return;
  paint(canvas, region, values, dimmed(softAlpha(layer.mask, canvas), percent(wholeOf(values, "strength"))));
};

/** The gradient over a part of a picture, darker where the picture is dark, in place. */
function paint(picture: Picture, region: Region, values: Values, alpha: Alpha | number): void {
  const ramp = rampOf(values);
  const depth = percent(wholeOf(values, "depth"));
  const data = bytesOf(picture);
  for (let row = region.y0; row < region.y1; row++) {
    const steps = stepsOf(row, region, optionOf(values, "direction"));
    for (let column = region.x0; column < region.x1; column++) {
      const place = row * picture.width + column;
      const opacity = typeof alpha === "number" ? alpha : alpha[place];
      if (opacity === 0) continue;
      const at = place * 4;
      const level = 255 - depth + divided(depth * luma(data, at) + 127);
      const from = steps[column - region.x0] * 3;
      const rest = 255 - opacity;
      data[at] = divided(data[at] * rest + divided(level * ramp[from] + 127) * opacity + 127);
      data[at + 1] = divided(data[at + 1] * rest + divided(level * ramp[from + 1] + 127) * opacity + 127);
      data[at + 2] = divided(data[at + 2] * rest + divided(level * ramp[from + 2] + 127) * opacity + 127);
    }
  }
}

/** The gradient's colours, one after the other. */
function rampOf(values: Values): Uint8Array {
  const first = colorOf(values, "from");
  const last = colorOf(values, "to");
  const ramp = new Uint8Array((NUM_STEPS + 1) * 3);
  for (let step = 0; step <= NUM_STEPS; step++) {
    for (let channel = 0; channel < 3; channel++) {
      const mixed = first[channel] * (NUM_STEPS - step) + last[channel] * step + NUM_STEPS / 2;
      ramp[step * 3 + channel] = Math.floor(mixed / NUM_STEPS);
    }
  }
  return ramp;
}

/** Where each pixel of a row is along the gradient. */
function stepsOf(row: number, region: Region, direction: string): Int32Array {
  const width = region.x1 - region.x0;
  const height = region.y1 - region.y0;
  const down = Math.floor(((row - region.y0) * NUM_STEPS) / Math.max(1, height - 1));
  const y = 2 * (row - region.y0) - (height - 1);
  const reach = Math.sqrt(height * height + width * width);
  const steps = new Int32Array(width);
  for (let column = 0; column < width; column++) {
    const right = Math.floor((column * NUM_STEPS) / Math.max(1, width - 1));
    const x = 2 * column - (width - 1);
    if (direction === "down") steps[column] = down;
    else if (direction === "right") steps[column] = right;
    else if (direction === "diagonal") steps[column] = (down + right) >> 1;
    else steps[column] = Math.min(NUM_STEPS, Math.floor((Math.sqrt(x * x + y * y) * NUM_STEPS) / reach));
  }
  return steps;
}
