import { catalogue, type EffectEntry } from "./catalogue";
import type { EffectChoice, EffectSettings } from "./types";

// Both drawn from these would leave nothing to look at, or nothing changed.
const BLAND: readonly string[] = ["original", "erase"];
const LARGEST_SEED = 2 ** 31 - 1;

/** Effects drawn at random: one for the background, one for all objects. `random` gives numbers from 0 to below 1. */
export function surpriseMe(random: () => number = Math.random): EffectSettings {
  for (;;) {
    const background = draw(catalogue.backgrounds, random);
    const objects = draw(catalogue.objects, random);
    if (BLAND.includes(background.name) && BLAND.includes(objects.name)) continue;
    return { background, objects, by_object: {}, seed: Math.floor(random() * LARGEST_SEED) };
  }
}

function draw(effects: readonly EffectEntry[], random: () => number): EffectChoice {
  const effect = effects[Math.floor(random() * effects.length)];
  const variant = effect.variants[Math.floor(random() * effect.variants.length)];
  return { name: effect.id, variant: variant.id, changes: {} };
}
