/**
 * Effects on backgrounds and objects: the same pixels that the server writes into an exported video.
 *
 *     composeFrame(image, masks, settings, index): Picture
 *
 * `image` is an `ImageData` or anything with `width`, `height` and RGBA `data`; `masks` is a `Map` of object id to one
 * byte per pixel, not 0 where the object is; `settings` is what the server takes for an export of kind "effects", with
 * `originalSettings` to start from; `index` is the frame's index, which moves what moves. Nothing that is passed in is
 * changed, nothing touches the page, and so it can run in a worker: `new ImageData(picture.data, picture.width)`.
 *
 * `catalogue.backgrounds` and `catalogue.objects` list ids, English labels, variants and parameters (`kind` is "whole"
 * with `least` and `most`, "color" as "#rrggbb" or "auto" for the object's own, "text", or "option" with `options`).
 * `surpriseMe()` draws settings. To show an object's own colour in an overlay, pass it as the change `color`.
 */
export { catalogue, type EffectEntry, type ParameterEntry, valuesOf, type VariantEntry } from "./catalogue";
export { composeFrame } from "./compose";
export { surpriseMe } from "./surprise";
export type { EffectChoice, EffectSettings, Mask, Picture, Value, Values } from "./types";

import type { EffectSettings } from "./types";

export const originalSettings: EffectSettings = {
  background: { name: "original", variant: "", changes: {} },
  objects: { name: "original", variant: "", changes: {} },
  by_object: {},
  seed: 0,
};
