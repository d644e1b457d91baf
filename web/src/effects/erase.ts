import { copied, dimmed, hashed, mixColor, mixPicture, percent, pixels, scaled } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { grown, softAlpha } from "./edges";
import { removalRim } from "./plate";
import type { Color, Picture, RenderBackground, RenderObject, Scene, Values } from "./types";

/** Nothing behind the objects, or an object taken out of the picture. */

const LIGHT = 255;
const DARK = 204;
const SQUARE = 22;
const SOFT = 2;

export const eraseBackground: RenderBackground = (ground, _scene, values) => {
  const picture = pixels(ground.width, ground.height);
  if (optionOf(values, "fill") === "checker") drawChecker(picture);
  else drawFlat(picture, colorOf(values, "color"));
  return picture;
};

/** One colour; four bytes at a time, which is faster. */
function drawFlat(picture: Picture, color: Color): void {
  const pixel = new Uint32Array(Uint8Array.of(...color, 255).buffer);
  new Uint32Array(picture.data.buffer).fill(pixel[0]);
}

function drawChecker(picture: Picture): void {
  const { width, height, data } = picture;
  const side = scaled(SQUARE, picture);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at += 4) {
      const isDark = ((Math.floor(row / side) + Math.floor(column / side)) & 1) === 1;
      data[at] = data[at + 1] = data[at + 2] = isDark ? DARK : LIGHT;
      data[at + 3] = 255;
    }
  }
}

/** Whether what was behind the object is to be seen, not a colour. */
export function showsBehind(values: Values): boolean {
  return optionOf(values, "fill") !== "color";
}

export const eraseObject: RenderObject = (canvas, layer, values) => {
  if (!showsBehind(values)) {
    mixColor(canvas, colorOf(values, "color"), softAlpha(layer.mask, canvas));
    return;
  }
  const grain = wholeOf(values, "grain");
  const fill = grain === 0 ? layer.backdrop : grained(layer.backdrop, layer.scene, grain);
  const alpha = softAlpha(grown(layer.mask, canvas, removalRim(canvas) + SOFT), canvas);
  mixPicture(canvas, fill, dimmed(alpha, percent(wholeOf(values, "strength"))));
};

/** Noise such as cameras have, another on every frame. */
function grained(picture: Picture, scene: Scene, grain: number): Picture {
  const result = copied(picture);
  const { data } = result;
  for (let at = 0, place = 0; at < data.length; at += 4, place++) {
    const noise = (((hashed(scene.seed, scene.index, place) & 255) - 128) * grain) >> 7;
    data[at] += noise;
    data[at + 1] += noise;
    data[at + 2] += noise;
  }
  return result;
}
