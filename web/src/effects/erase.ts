import { copied, dimmed, hashed, mixColor, mixPicture, percent, pixels, scaled } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { grown, softAlpha } from "./edges";
import { removalRim } from "./plate";
import type { Picture, RenderBackground, RenderObject, Scene } from "./types";

/** Nothing behind the objects, or an object taken out of the picture. */

const LIGHT = 255;
const DARK = 204;
const SQUARE = 22;
const SOFT = 2;

export const eraseBackground: RenderBackground = (ground, _scene, values) => {
  const picture = pixels(ground.width, ground.height);
  const { data, width } = picture;
  const isChecker = optionOf(values, "fill") === "checker";
  const [red, green, blue] = colorOf(values, "color");
  const side = scaled(SQUARE, ground);
  for (let at = 0, place = 0; at < data.length; at += 4, place++) {
    const row = Math.floor(place / width);
    const isDark = ((Math.floor(row / side) + Math.floor((place - row * width) / side)) & 1) === 1;
    const level = isDark ? DARK : LIGHT;
    data[at] = isChecker ? level : red;
    data[at + 1] = isChecker ? level : green;
    data[at + 2] = isChecker ? level : blue;
    data[at + 3] = 255;
  }
  return picture;
};

export const eraseObject: RenderObject = (canvas, layer, values) => {
  if (optionOf(values, "fill") === "color") {
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
