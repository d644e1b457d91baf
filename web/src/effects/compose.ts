import { mixPicture } from "./arithmetic";
import { catalogue, valuesOf } from "./catalogue";
import { regionOf, softAlpha } from "./edges";
import { cleanPlate } from "./plate";
import { backgroundRenderers, type ObjectRenderer, objectRenderers } from "./table";
import type { EffectSettings, Mask, Picture, Scene, Values } from "./types";

const NOWHERE = { x0: 0, y0: 0, x1: 0, y1: 0 };

interface Chosen {
  readonly objectId: number;
  readonly mask: Mask;
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
  const numPixels = image.width * image.height;
  const objects = union(chosen.map((one) => one.mask), numPixels);
  const kept = chosen.filter((one) => !one.renderer.isRemoval).map((one) => one.mask);
  const shown = kept.length === chosen.length ? objects : union(kept, numPixels);
  const scene: Scene = { frame: image, shown, index, seed: settings.seed };
  const renderer = backgroundRenderers[settings.background.name];
  const values = valuesOf(catalogue.backgrounds, settings.background);
  const isPlateNeeded = renderer.mixesNeighbours || chosen.some((one) => one.renderer.isRemoval);
  const backdrop = renderer.render(isPlateNeeded ? cleanPlate(image, objects) : image, scene, values);
  const canvas: Picture = { ...backdrop, data: new Uint8ClampedArray(backdrop.data) };
  mixPicture(canvas, image, softAlpha(objects, image), regionOf(objects, image, 2) ?? NOWHERE);
  for (const one of grouped(chosen, numPixels)) {
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
    if (regionOf(mask, image, 0) === null) continue;
    const choice = settings.by_object[String(objectId)] ?? settings.objects;
    const values = valuesOf(catalogue.objects, choice);
    chosen.push({ objectId, mask, renderer: objectRenderers[choice.name], values });
  }
  return chosen;
}

/** What is drawn, in order: first around objects, then on them. */
function grouped(chosen: readonly Chosen[], numPixels: number): Chosen[] {
  const around = new Map<string, Chosen[]>();
  for (const one of chosen.filter((entry) => entry.renderer.isAround)) {
    const key = objectKey(one);
    around.set(key, [...(around.get(key) ?? []), one]);
  }
  const groups = [...around.values()].map((same) => ({
    ...same[0],
    mask: union(same.map((one) => one.mask), numPixels),
  }));
  return [...groups, ...chosen.filter((one) => !one.renderer.isAround)];
}

function objectKey(one: Chosen): string {
  const name = Object.keys(objectRenderers).find((id) => objectRenderers[id] === one.renderer) ?? "";
  return JSON.stringify([name, Object.entries(one.values).sort()]);
}

function union(masks: readonly Mask[], numPixels: number): Mask {
  const result = new Uint8Array(numPixels);
  for (const mask of masks) for (let at = 0; at < numPixels; at++) if (mask[at]) result[at] = 1;
  return result;
}
