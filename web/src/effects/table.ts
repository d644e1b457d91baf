import { blurBackground } from "./blur";
import { burstObject } from "./burst";
import { desaturateBackground } from "./desaturate";
import { emojiObject } from "./emoji";
import { eraseBackground, eraseObject } from "./erase";
import { gradientBackground, gradientObject } from "./gradient";
import { originalBackground, originalObject } from "./original";
import { outlineBackground } from "./outline";
import { overlayObject } from "./overlay";
import { pixelateBackground, pixelateObject } from "./pixelate";
import { spotlightObject } from "./spotlight";
import { textBackground } from "./text";
import type { RenderBackground, RenderObject } from "./types";

export interface BackgroundRenderer {
  readonly render: RenderBackground;
  /** Whether colours of the objects would run into the backdrop if they were not taken out first. */
  readonly mixesNeighbours: boolean;
}

export interface ObjectRenderer {
  readonly render: RenderObject;
  /** Whether it draws around the objects and comes before effects that draw on them. */
  readonly isAround: boolean;
  readonly isRemoval: boolean;
}

const background = (render: RenderBackground, mixesNeighbours = false): BackgroundRenderer => ({ render, mixesNeighbours });
const object = (render: RenderObject, kind: "on" | "around" | "removal" = "on"): ObjectRenderer => ({
  render,
  isAround: kind === "around",
  isRemoval: kind === "removal",
});

export const backgroundRenderers: Readonly<Record<string, BackgroundRenderer>> = {
  original: background(originalBackground),
  erase: background(eraseBackground),
  gradient: background(gradientBackground),
  pixelate: background(pixelateBackground, true),
  desaturate: background(desaturateBackground),
  text: background(textBackground),
  blur: background(blurBackground, true),
  outline: background(outlineBackground),
};

export const objectRenderers: Readonly<Record<string, ObjectRenderer>> = {
  original: object(originalObject),
  erase: object(eraseObject, "removal"),
  gradient: object(gradientObject),
  pixelate: object(pixelateObject),
  overlay: object(overlayObject),
  emoji: object(emojiObject),
  burst: object(burstObject, "around"),
  spotlight: object(spotlightObject, "around"),
};
