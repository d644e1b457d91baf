import { boxBlurred, brightened, scaled } from "./arithmetic";
import { wholeOf } from "./catalogue";
import type { RenderBackground } from "./types";

/** The background out of focus: two boxes make a pyramid-shaped kernel. */
export const blurBackground: RenderBackground = (ground, _scene, values) => {
  const radius = scaled(wholeOf(values, "radius"), ground);
  return brightened(boxBlurred(boxBlurred(ground, radius), radius), wholeOf(values, "brightness"));
};
