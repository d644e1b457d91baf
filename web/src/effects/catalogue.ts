import document from "./catalogue.json";
import type { Color, EffectChoice, Value, Values } from "./types";

export interface ParameterEntry {
  readonly id: string;
  readonly label: string;
  readonly kind: string;
  readonly default: Value;
  readonly least: number;
  readonly most: number;
  readonly options: readonly string[];
}

export interface VariantEntry {
  readonly id: string;
  readonly label: string;
  readonly values: Values;
}

export interface EffectEntry {
  readonly id: string;
  readonly label: string;
  readonly variants: readonly VariantEntry[];
  readonly parameters: readonly ParameterEntry[];
}

/** A character: strokes are x, y, x, y, ... on a grid 100 high. */
export interface GlyphEntry {
  readonly width: number;
  readonly strokes: readonly (readonly number[])[];
}

/** One polygon of one colour: x, y, x, y, ... on a grid of 1000 by 1000. */
export interface PatchEntry {
  readonly color: readonly number[];
  readonly polygon: readonly number[];
}

export interface Catalogue {
  readonly backgrounds: readonly EffectEntry[];
  readonly objects: readonly EffectEntry[];
  readonly object_colors: readonly (readonly number[])[];
  readonly glyphs: Readonly<Record<string, GlyphEntry>>;
  readonly shapes: Readonly<Record<string, readonly PatchEntry[]>>;
}

/** Written by `tools/effects_catalogue.py` from the table in Python; a test checks that it is up to date. */
export const catalogue = document as unknown as Catalogue;

/** A value for every parameter: the default, then the variant's, then the change. */
export function valuesOf(entries: readonly EffectEntry[], choice: EffectChoice): Values {
  const effect = entries.find((entry) => entry.id === choice.name);
  if (effect === undefined) throw new RangeError(`There is no effect "${choice.name}".`);
  const variant = effect.variants.find((entry) => !choice.variant || entry.id === choice.variant);
  if (variant === undefined) throw new RangeError(`"${choice.name}" has no variant "${choice.variant ?? ""}".`);
  const values: Record<string, Value> = {};
  for (const parameter of effect.parameters) values[parameter.id] = parameter.default;
  return { ...values, ...variant.values, ...choice.changes };
}

export function wholeOf(values: Values, name: string): number {
  return Number(values[name]);
}

export function optionOf(values: Values, name: string): string {
  return String(values[name]);
}

export function colorOf(values: Values, name: string, auto: Color = [255, 255, 255]): Color {
  const text = String(values[name]);
  if (text === "auto") return auto;
  const number = Number.parseInt(text.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

/** The colour of an object that follows no choice of a person. */
export function objectColor(objectId: number): Color {
  const [red, green, blue] = catalogue.object_colors[(objectId - 1) % catalogue.object_colors.length];
  return [red, green, blue];
}
