import { hashed, scaled } from "./arithmetic";
import { catalogue, optionOf, wholeOf } from "./catalogue";
import { regionOf } from "./edges";
import { stamp } from "./stamps";
import type { Layer, Picture, Region, RenderObject, Values } from "./types";

/** A picture over the object, or a crowd of small ones on it. */

const PULSE = 24;

export const emojiObject: RenderObject = (canvas, layer, values) => {
  const region = regionOf(layer.mask, canvas, 0);
  if (region === null) return;
  if (wholeOf(values, "crowd") !== 0) {
    drawCrowd(canvas, layer, region, values);
    return;
  }
  const longer = Math.max(region.y1 - region.y0, region.x1 - region.x0);
  const swell = 100 + Math.floor((wholeOf(values, "pulse") * waveOf(layer.scene.index)) / 6);
  const side = Math.max(4, Math.floor((longer * wholeOf(values, "size") * swell) / 10_000));
  stamp(canvas, nameOf(layer, 0, values), side, (region.x0 + region.x1) >> 1, (region.y0 + region.y1) >> 1);
};

/** One small picture in every cell of a grid whose middle is on the object. */
function drawCrowd(canvas: Picture, layer: Layer, region: Region, values: Values): void {
  const cell = Math.max(6, scaled(wholeOf(values, "crowd"), canvas));
  const side = Math.floor((cell * wholeOf(values, "size")) / 100);
  const quarter = cell >> 2;
  for (let row = Math.floor(region.y0 / cell); row * cell < region.y1; row++) {
    for (let column = Math.floor(region.x0 / cell); column * cell < region.x1; column++) {
      const place = row * 4096 + column;
      const chance = hashed(layer.scene.seed, 0, place);
      const x = column * cell + quarter + Math.floor(((chance & 255) * cell) / 512);
      const y = row * cell + quarter + Math.floor((((chance >>> 8) & 255) * cell) / 512);
      if (x >= canvas.width || y >= canvas.height || !layer.mask[y * canvas.width + x]) continue;
      const wave = waveOf(layer.scene.index + place * 5);
      stamp(canvas, nameOf(layer, place, values), side, x, y + Math.floor((wholeOf(values, "pulse") * wave * cell) / 600));
    }
  }
}

function nameOf(layer: Layer, place: number, values: Values): string {
  const name = optionOf(values, "shape");
  const names = Object.keys(catalogue.shapes);
  return name === "mixed" ? names[hashed(layer.scene.seed, 1, place) % names.length] : name;
}

/** Up and down between 0 and 12. */
function waveOf(index: number): number {
  return PULSE / 2 - Math.abs((index % PULSE) - PULSE / 2);
}
