/** What the page and its effects worker say to each other; one answer for each question, in order. */
import type { EffectSettings } from "../effects";
import type { Size } from "../geometry/points";
import type { Mask } from "../masks/runs";

export interface EffectsAsk {
  readonly picture: ImageBitmap;
  readonly masks: readonly { readonly objectId: number; readonly mask: Mask }[];
  readonly settings: EffectSettings;
  readonly index: number;
  readonly size: Size;
}

export interface EffectsAnswer {
  readonly picture: ImageBitmap | null;
  readonly reason: string;
}
