import { asAlpha, dimmed, hashed, mixColor, percent, product } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { regionOf, softAlpha } from "./edges";
import type { Alpha, Layer, Picture, RenderObject, Values } from "./types";

/** Rays around the object, over everything that is no object. */

const TURN = 65536;
const TABLE_STEPS = 4096;
const FRAMES_PER_DRAWING = 3;

/** Angles of slopes from 0 to 1, in units of a turn. */
const EIGHTHS = Int32Array.from({ length: TABLE_STEPS + 1 }, (_, step) =>
  Math.floor((Math.atan(step / TABLE_STEPS) * TURN) / (2 * Math.PI) + 0.5),
);

interface Star {
  readonly centerX: number;
  readonly centerY: number;
  /** Half of the object's longer side. */
  readonly size: number;
}

export const burstObject: RenderObject = (canvas, layer, values) => {
  const region = regionOf(layer.mask, canvas, 0);
  if (region === null) return;
  const star: Star = {
    centerX: (region.x0 + region.x1) >> 1,
    centerY: (region.y0 + region.y1) >> 1,
    size: Math.max(region.y1 - region.y0, region.x1 - region.x0) / 2,
  };
  const style = optionOf(values, "style");
  const strength = percent(wholeOf(values, "strength"));
  const objects = layer.mask.slice();
  const { shown } = layer.scene;
  for (let at = 0; at < objects.length; at++) objects[at] |= shown[at];
  const free = softAlpha(objects, canvas);
  for (let at = 0; at < free.length; at++) free[at] = 255 - free[at];
  const alpha = style === "lines" ? linesOf(canvas, star, layer, values) : raysOf(canvas, star, layer, values);
  if (style === "sunburst") mixColor(canvas, colorOf(values, "paper"), dimmed(free, strength));
  mixColor(canvas, colorOf(values, "color"), dimmed(product(alpha, free), strength));
};

/** Even rays that turn; those of a shine fade with distance. */
function raysOf(canvas: Picture, star: Star, layer: Layer, values: Values): Alpha {
  const rays = wholeOf(values, "rays");
  const turned = (layer.scene.index * wholeOf(values, "spin") * 128) % TURN;
  const far = (Math.max(canvas.height, canvas.width) * wholeOf(values, "reach")) / 100;
  const isShine = optionOf(values, "style") === "shine";
  const pxPerUnit = (2 * Math.PI) / TURN / rays;
  const alpha = new Uint8Array(canvas.width * canvas.height);
  const fade = isShine ? new Uint8Array(alpha.length) : null;
  forEachPolar(canvas, star, (at, angle, reach) => {
    const place = (angle * rays + turned) & (TURN - 1);
    alpha[at] = asAlpha(0.5 + edgePx(Math.abs(place - TURN / 2) - TURN / 4, reach, pxPerUnit));
    if (fade !== null) fade[at] = asAlpha(1 - (reach - star.size) / far);
  });
  return fade === null ? alpha : product(alpha, fade);
}

/** Spikes from the rim towards the object, drawn anew every few frames as by hand. */
function linesOf(canvas: Picture, star: Star, layer: Layer, values: Values): Alpha {
  const rays = wholeOf(values, "rays");
  const drawing = Math.floor(layer.scene.index / FRAMES_PER_DRAWING);
  const starts = new Float64Array(rays);
  const widths = new Float64Array(rays);
  for (let ray = 0; ray < rays; ray++) {
    const chance = hashed(layer.scene.seed, drawing, ray);
    starts[ray] = star.size * (1.1 + ((chance & 255) / 255) * 0.9);
    widths[ray] = 3000 + ((chance >>> 8) & 255) * 50;
  }
  const pxPerUnit = (2 * Math.PI) / TURN / rays;
  const alpha = new Uint8Array(canvas.width * canvas.height);
  forEachPolar(canvas, star, (at, angle, reach) => {
    const turned = angle * rays;
    const ray = turned >> 16;
    const start = starts[ray];
    if (reach <= start) return;
    const half = widths[ray] * Math.min(1, (reach - start) / start);
    alpha[at] = asAlpha(0.5 + edgePx(half - Math.abs((turned & (TURN - 1)) - TURN / 2), reach, pxPerUnit));
  });
  return alpha;
}

/** From units of a ray's own turn to pixels at a distance from the centre. */
function edgePx(units: number, reach: number, pxPerUnit: number): number {
  return units * reach * pxPerUnit;
}

/** Calls back for every pixel with its angle, clockwise from the right, and its distance from the centre. */
function forEachPolar(canvas: Picture, star: Star, visit: (at: number, angle: number, reach: number) => void): void {
  const { width } = canvas;
  for (let row = 0, at = 0; row < canvas.height; row++) {
    const down = row - star.centerY;
    const tall = down < 0 ? -down : down;
    const square = down * down;
    for (let column = 0; column < width; column++, at++) {
      const right = column - star.centerX;
      const wide = right < 0 ? -right : right;
      const isSteep = tall > wide;
      const longer = isSteep ? tall : wide === 0 ? 1 : wide;
      const eighth = EIGHTHS[(((isSteep ? wide : tall) * TABLE_STEPS) / longer) | 0];
      let angle = isSteep ? TURN / 4 - eighth : eighth;
      if (right < 0) angle = TURN / 2 - angle;
      if (down < 0) angle = (TURN - angle) & (TURN - 1);
      visit(at, angle, Math.sqrt(right * right + square));
    }
  }
}
