import { asAlpha, dimmed, mixColor, percent, product, scaled } from "./arithmetic";
import { colorOf, objectColor, wholeOf } from "./catalogue";
import { distances, type Grid, regionOf, softAlpha } from "./edges";
import type { Alpha, Mask, Region, RenderObject } from "./types";

/** An object's own colour over it, as a fill, a line or stripes. */
export const overlayObject: RenderObject = (canvas, layer, values) => {
  const region = regionOf(layer.mask, canvas, 2);
  if (region === null) return;
  const color = colorOf(values, "color", objectColor(layer.objectId));
  const soft = softAlpha(layer.mask, canvas);
  const fill = wholeOf(values, "fill");
  if (fill !== 0) mixColor(canvas, color, dimmed(soft, percent(fill)), region);
  if (wholeOf(values, "stripes") !== 0) {
    const stripes = stripesOf(canvas, region, scaled(wholeOf(values, "stripes"), canvas), layer.scene.index);
    mixColor(canvas, color, product(dimmed(soft, percent(wholeOf(values, "stripe_strength"))), stripes), region);
  }
  if (wholeOf(values, "line") !== 0) {
    const line = lineOf(layer.mask, canvas, region, scaled(wholeOf(values, "line"), canvas));
    mixColor(canvas, color, product(soft, line), region);
  }
};

/** Slanted stripes that walk by a pixel per frame, with edges that are soft over a pixel. */
function stripesOf(grid: Grid, region: Region, side: number, index: number): Alpha {
  const alpha = new Uint8Array(grid.width * grid.height);
  for (let row = region.y0; row < region.y1; row++) {
    for (let column = region.x0; column < region.x1; column++) {
      const phase = (row + column + index) % (2 * side);
      const level = (2 * Math.abs(phase - side) - side) * 64 + 128;
      alpha[row * grid.width + column] = Math.max(0, Math.min(255, level));
    }
  }
  return alpha;
}

function lineOf(mask: Mask, grid: Grid, region: Region, width: number): Alpha {
  const alpha = new Uint8Array(grid.width * grid.height);
  const inside = distances(mask, grid, region, true);
  for (let row = region.y0, at = 0; row < region.y1; row++) {
    for (let column = region.x0; column < region.x1; column++, at++) {
      alpha[row * grid.width + column] = asAlpha(width + 1 - inside[at]);
    }
  }
  return alpha;
}
