/** Effects that a person has chosen. */
import { catalogue, originalSettings, type EffectChoice, type EffectSettings } from "../effects";
import type { Media } from "./document";

export type Side = "background" | "objects";

export function isOriginal(settings: EffectSettings): boolean {
  const choices = [settings.background, settings.objects, ...Object.values(settings.by_object)];
  return choices.every((one) => one.name === "original" && (one.variant ?? "") === "" && Object.keys(one.changes ?? {}).length === 0);
}

/** The effect of one side; with an object, of that object alone. */
export function choiceOf(settings: EffectSettings, side: Side, objectId: number | null): EffectChoice {
  if (side === "background") return settings.background;
  return (objectId === null ? undefined : settings.by_object[String(objectId)]) ?? settings.objects;
}

export function withChoice(settings: EffectSettings, side: Side, objectId: number | null, choice: EffectChoice): EffectSettings {
  if (side === "background") return { ...settings, background: choice };
  if (objectId === null) return { ...settings, objects: choice };
  return { ...settings, by_object: { ...settings.by_object, [String(objectId)]: choice } };
}

export function settingsFromText(text: string | null): EffectSettings {
  if (text === null) return originalSettings;
  try {
    const kept = JSON.parse(text) as EffectSettings;
    const known = (entries: typeof catalogue.objects, choice: EffectChoice): boolean =>
      entries.some((entry) => entry.id === choice.name && (!choice.variant || entry.variants.some((one) => one.id === choice.variant)));
    const isKnown = known(catalogue.backgrounds, kept.background) && [kept.objects, ...Object.values(kept.by_object)].every((one) => known(catalogue.objects, one));
    return isKnown ? kept : originalSettings;
  } catch {
    return originalSettings;
  }
}

/** Settings in which "auto" is each object's own colour, as the page shows it; the export is given the same. */
export function withColors(settings: EffectSettings, media: Media): EffectSettings {
  const entries = media.objects.map((object) => {
    const choice = settings.by_object[String(object.id)] ?? settings.objects;
    return [String(object.id), colored(choice, object.color)] as const;
  });
  return { ...settings, by_object: Object.fromEntries(entries) };
}

function colored(choice: EffectChoice, color: string): EffectChoice {
  const effect = catalogue.objects.find((entry) => entry.id === choice.name);
  const variant = effect?.variants.find((entry) => entry.id === choice.variant) ?? effect?.variants[0];
  const changes: Record<string, number | string> = { ...choice.changes };
  for (const parameter of effect?.parameters ?? []) {
    const value = changes[parameter.id] ?? variant?.values[parameter.id] ?? parameter.default;
    if (value === "auto") changes[parameter.id] = color;
  }
  return { ...choice, changes };
}
