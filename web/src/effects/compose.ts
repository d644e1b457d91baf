import { mixPicture } from "./arithmetic";
import { catalogue, valuesOf } from "./catalogue";
import { regionOf, softAlpha } from "./edges";
import { cleanPlate } from "./plate";
import { showsBehind } from "./erase";
import { backgroundRenderers, type ObjectRenderer, objectRenderers } from "./table";
import type { EffectSettings, Mask, Picture, Region, Scene, Values } from "./types";

const NOWHERE = { x0: 0, y0: 0, x1: 0, y1: 0 };

interface Chosen {
  readonly objectId: number;
  /** 1 where the object is, 0 elsewhere. */
  readonly mask: Mask;
  readonly region: Region;
  readonly renderer: ObjectRenderer;
  readonly values: Values;
}

/**
 * A frame with its effects, a new picture. Order: the background; effects around objects, once for all objects with the
 * same choice, by lowest id; effects on objects, by rising id.
 */
export function composeFrame(
  image: Picture,
  masks: ReadonlyMap<number, Mask>,
  settings: EffectSettings,
  index: number,
): Picture {
  const chosen = choose(image, masks, settings);
  const objects = union(chosen, image);
  const kept = chosen.filter((one) => !one.renderer.isRemoval);
  const shown = kept.length === chosen.length ? objects : union(kept, image);
  const scene: Scene = { frame: image, shown, index, seed: settings.seed };
  const renderer = backgroundRenderers[settings.background.name];
  const values = valuesOf(catalogue.backgrounds, settings.background);
  const isPlateNeeded = renderer.mixesNeighbours || chosen.some((one) => one.renderer.isRemoval && showsBehind(one.values));
  const backdrop = renderer.render(isPlateNeeded ? cleanPlate(image, objects) : image, scene, values);
  const canvas: Picture = { ...backdrop, data: new Uint8ClampedArray(backdrop.data) };
  mixPicture(canvas, image, softAlpha(objects, image), regionOf(objects, image, 2) ?? NOWHERE);
  for (const one of grouped(chosen, image)) {
    one.renderer.render(canvas, { scene, backdrop, mask: one.mask, objectId: one.objectId }, one.values);
  }
  return canvas;
}

function choose(image: Picture, masks: ReadonlyMap<number, Mask>, settings: EffectSettings): Chosen[] {
  const chosen: Chosen[] = [];
  for (const [objectId, mask] of [...masks].sort((first, second) => first[0] - second[0])) {
    if (mask.length !== image.width * image.height) {
      throw new RangeError(`The mask of object ${objectId} has another size than the picture.`);
    }
    const region = regionOf(mask, image, 0);
    if (region === null) continue;
    const choice = settings.by_object[String(objectId)] ?? settings.objects;
    const values = valuesOf(catalogue.objects, choice);
    const on = new Uint8Array(mask.length);
    add(on, mask, region, image.width);
    chosen.push({ objectId, mask: on, region, renderer: objectRenderers[choice.name], values });
  }
  return chosen;
}

/** What is drawn, in order: first around objects, then on them. */
function grouped(chosen: readonly Chosen[], image: Picture): Chosen[] {
  const around = new Map<string, Chosen[]>();
  for (const one of chosen.filter((entry) => entry.renderer.isAround)) {
    const key = objectKey(one);
    around.set(key, [...(around.get(key) ?? []), one]);
  }
  const groups = [...around.values()].map((same) => ({
    ...same[0],
    mask: union(same, image),
  }));
  return [...groups, ...chosen.filter((one) => !one.renderer.isAround)];
}

function objectKey(one: Chosen): string {
  const name = Object.keys(objectRenderers).find((id) => objectRenderers[id] === one.renderer) ?? "";
  return JSON.stringify([name, Object.entries(one.values).sort()]);
}

function union(chosen: readonly Chosen[], image: Picture): Mask {
  if (chosen.length === 1) return chosen[0].mask;
  const result = new Uint8Array(image.width * image.height);
  for (const one of chosen) add(result, one.mask, one.region, image.width);
  return result;
}

function add(target: Mask, mask: Mask, region: Region, width: number): void {
  for (let row = region.y0; row < region.y1; row++) {
    const last = row * width + region.x1;
    for (let at = row * width + region.x0; at < last; at++) if (mask[at]) target[at] = 1;
  }
}
