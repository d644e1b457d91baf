/** What effects work on. All of it is plain arrays, so that it can live in a worker. */

/** RGBA row by row, as `ImageData`; effects read and write red, green and blue and leave opacity at 255. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** One byte per pixel, row by row: not 0 where the object is; effects themselves get 1 there. */
export type Mask = Uint8Array;
/** Opacity per pixel, row by row: 0 leaves what is below, 255 covers it. */
export type Alpha = Uint8Array;
export type Color = readonly [number, number, number];
export type Value = number | string;
export type Values = Readonly<Record<string, Value>>;

/** Left and top edge, and the right and bottom edge, which lie outside. */
export interface Region {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

export interface EffectChoice {
  readonly name: string;
  /** The first variant when it is left out or empty. */
  readonly variant?: string;
  /** Values by parameter id that differ from the variant's. */
  readonly changes?: Values;
}

export interface EffectSettings {
  readonly background: EffectChoice;
  readonly objects: EffectChoice;
  /** Effects of single objects, by object id. */
  readonly by_object: Readonly<Record<string, EffectChoice>>;
  readonly seed: number;
}

/** What every effect of a frame sees; `shown` is where an object is that stays in the picture. */
export interface Scene {
  readonly frame: Picture;
  readonly shown: Mask;
  readonly index: number;
  readonly seed: number;
}

/** What an object effect works on; `backdrop` is what would be seen if no object were there. */
export interface Layer {
  readonly scene: Scene;
  readonly backdrop: Picture;
  readonly mask: Mask;
  readonly objectId: number;
}

/** Makes the backdrop from the frame or, for effects that mix neighbours, from the frame without its objects. */
export type RenderBackground = (ground: Picture, scene: Scene, values: Values) => Picture;
/** Draws on the canvas, in place. */
export type RenderObject = (canvas: Picture, layer: Layer, values: Values) => void;
