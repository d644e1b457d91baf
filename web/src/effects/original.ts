import { brightened, mixPicture } from "./arithmetic";
import { wholeOf } from "./catalogue";
import { softAlpha } from "./edges";
import type { RenderBackground, RenderObject } from "./types";

/** The picture as it was filmed, lighter or darker if wanted. */
export const originalBackground: RenderBackground = (ground, _scene, values) =>
  brightened(ground, wholeOf(values, "brightness"));

export const originalObject: RenderObject = (canvas, layer, values) => {
  const brightness = wholeOf(values, "brightness");
  if (brightness !== 100) mixPicture(canvas, brightened(canvas, brightness), softAlpha(layer.mask, canvas));
};
