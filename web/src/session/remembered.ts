/** What this browser remembers of a person's choices: the effects of a medium, and whether objects are kept apart. */
import type { EffectSettings } from "../effects";
import { settingsFromText } from "../model/effectChoices";

const effectsKey = (mediaId: string): string => `masklet-effects-${mediaId}`;
const apartKey = (projectId: string): string => `masklet-apart-${projectId}`;

export function rememberedEffects(mediaId: string): EffectSettings {
  return settingsFromText(window.localStorage.getItem(effectsKey(mediaId)));
}

export function rememberEffects(mediaId: string, effects: EffectSettings): void {
  window.localStorage.setItem(effectsKey(mediaId), JSON.stringify(effects));
}

/** What was stated for a project; null when nothing was. */
export function rememberedApart(projectId: string): boolean | null {
  const kept = window.localStorage.getItem(apartKey(projectId));
  return kept === null ? null : kept === "on";
}

export function rememberApart(projectId: string, isApart: boolean): void {
  window.localStorage.setItem(apartKey(projectId), isApart ? "on" : "off");
}
