import { asAlpha, dimmed, divided, mixColor, percent, product, scaled } from "./arithmetic";
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
    const side = scaled(wholeOf(values, "stripes"), canvas);
    const stripes = stripesOf(canvas, region, { side, index: layer.scene.index, soft, strength: percent(wholeOf(values, "stripe_strength")) });
    mixColor(canvas, color, stripes, region);
  }
  if (wholeOf(values, "line") !== 0) {
    const line = lineOf(layer.mask, canvas, region, scaled(wholeOf(values, "line"), canvas));
    mixColor(canvas, color, product(soft, line), region);
  }
};

interface Stripes {
  readonly side: number;
  readonly index: number;
  /** Where the object is. */
  readonly soft: Alpha;
  readonly strength: number;
}

/** Slanted stripes on the object that walk by a pixel per frame, with edges that are soft over a pixel. */
function stripesOf(grid: Grid, region: Region, { side, index, soft, strength }: Stripes): Alpha {
  const alpha = new Uint8Array(grid.width * grid.height);
  const levels = Uint8Array.from({ length: 2 * side }, (_, phase) =>
    Math.max(0, Math.min(255, (2 * Math.abs(phase - side) - side) * 64 + 128)),
  );
  for (let row = region.y0; row < region.y1; row++) {
    let phase = (row + region.x0 + index) % levels.length;
    const last = row * grid.width + region.x1;
    for (let at = row * grid.width + region.x0; at < last; at++) {
      const opacity = soft[at];
      if (opacity !== 0) alpha[at] = divided(divided(opacity * strength + 127) * levels[phase] + 127);
      if (++phase === levels.length) phase = 0;
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
