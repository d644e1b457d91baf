import { asAlpha, dimmed, mixColor, percent, scaled } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { distances, type Grid, regionOf, softAlpha } from "./edges";
import type { Alpha, Mask, RenderObject } from "./types";

/** Everything but the object in the dark, with a soft edge. */
export const spotlightObject: RenderObject = (canvas, layer, values) => {
  const soft = scaled(wholeOf(values, "softness"), canvas);
  const shape = optionOf(values, "shape");
  const around = shape === "edge" ? aroundEdge : shape === "circle" ? aroundCircle : aroundMask;
  const dark = around(layer.mask, canvas, soft);
  mixColor(canvas, colorOf(values, "color"), dimmed(dark, percent(wholeOf(values, "darkness"))));
};

/** Darkness by distance: the edge begins and ends without a visible line. */
function darkness(away: number, soft: number): number {
  const share = Math.max(0, Math.min(1, away / soft));
  return asAlpha(share * share * (3 - 2 * share));
}

function aroundEdge(mask: Mask, grid: Grid): Alpha {
  return softAlpha(mask, grid).map((alpha) => 255 - alpha);
}

function aroundMask(mask: Mask, grid: Grid, soft: number): Alpha {
  const dark = new Uint8Array(mask.length).fill(255);
  const region = regionOf(mask, grid, soft + 1);
  if (region === null) return dark;
  const away = distances(mask, grid, region);
  for (let row = region.y0, at = 0; row < region.y1; row++) {
    for (let column = region.x0; column < region.x1; column++, at++) {
      dark[row * grid.width + column] = darkness(away[at], soft);
    }
  }
  return dark;
}

/** Around a circle that holds most of the object. */
function aroundCircle(mask: Mask, grid: Grid, soft: number): Alpha {
  const dark = new Uint8Array(mask.length).fill(255);
  const region = regionOf(mask, grid, 0);
  if (region === null) return dark;
  const radius = Math.max(region.y1 - region.y0, region.x1 - region.x0) * 0.55;
  for (let row = 0, at = 0; row < grid.height; row++) {
    const y = row - (region.y0 + region.y1 - 1) / 2;
    for (let column = 0; column < grid.width; column++, at++) {
      const x = column - (region.x0 + region.x1 - 1) / 2;
      dark[at] = darkness(Math.sqrt(x * x + y * y) - radius, soft);
    }
  }
  return dark;
}
