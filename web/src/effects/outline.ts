import { asAlpha, brightened, dimmed, mixColor, percent, scaled } from "./arithmetic";
import { colorOf, wholeOf } from "./catalogue";
import { distances, regionOf } from "./edges";
import type { Alpha, RenderBackground } from "./types";

/** A line or a glow around the objects. */
export const outlineBackground: RenderBackground = (ground, scene, values) => {
  const width = scaled(wholeOf(values, "width"), ground);
  const glow = wholeOf(values, "glow");
  const soft = glow === 0 ? 1 : scaled(glow, ground);
  const picture = brightened(ground, wholeOf(values, "brightness"));
  const region = regionOf(scene.shown, ground, width + soft + 1);
  if (region === null) return picture;
  const away = distances(scene.shown, ground, region);
  const alpha: Alpha = new Uint8Array(ground.width * ground.height);
  for (let row = region.y0, at = 0; row < region.y1; row++) {
    for (let column = region.x0; column < region.x1; column++, at++) {
      const share = (width + soft - away[at]) / soft;
      // A glow fades faster near the object than far from it.
      alpha[row * ground.width + column] = asAlpha(glow === 0 ? share : share * Math.abs(share));
    }
  }
  mixColor(picture, colorOf(values, "color"), dimmed(alpha, percent(wholeOf(values, "strength"))), region);
  return picture;
};
