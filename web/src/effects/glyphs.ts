import { asAlpha } from "./arithmetic";
import { catalogue, type GlyphEntry } from "./catalogue";
import type { Alpha } from "./types";

/** Words in the font of ours: strokes of a pen, on a grid 100 high. */

const GAP = 34;
const HEIGHT = 100;
const MAX_KEPT = 16;

export interface Lettering {
  readonly heightPx: number;
  readonly weight: number;
  /** Thickness of the rim where letters are hollow, 0 where they are filled. */
  readonly outline: number;
}

export interface Word {
  readonly width: number;
  readonly height: number;
  readonly alpha: Alpha;
}

const kept = new Map<string, Word>();

/** Width of a word in grid units, with half a gap on either side. */
export function wordUnits(text: string): number {
  return glyphsOf(text).reduce((total, glyph) => total + glyph.width + GAP, 0);
}

function glyphsOf(text: string): GlyphEntry[] {
  return Array.from(text.toUpperCase(), (character) => catalogue.glyphs[character] ?? catalogue.glyphs[" "]);
}

/** A word as opacity; repeated side by side, it goes on at an even distance. */
export function drawWord(text: string, lettering: Lettering): Word {
  const key = `${text}|${lettering.heightPx}|${lettering.weight}|${lettering.outline}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const unit = lettering.heightPx / HEIGHT;
  const pad = Math.ceil((lettering.weight * unit) / 2 + 1);
  const height = Math.ceil(lettering.heightPx) + 2 * pad;
  const width = Math.max(1, Math.ceil(wordUnits(text) * unit));
  const word: Word = { width, height, alpha: new Uint8Array(width * height) };
  let atUnits = 0;
  for (const glyph of glyphsOf(text)) {
    drawGlyph(word, glyph, { unit, pad, left: (atUnits + GAP / 2) * unit }, lettering);
    atUnits += glyph.width + GAP;
  }
  if (kept.size >= MAX_KEPT) kept.clear();
  kept.set(key, word);
  return word;
}

interface Place {
  readonly unit: number;
  readonly pad: number;
  readonly left: number;
}

function drawGlyph(word: Word, glyph: GlyphEntry, place: Place, lettering: Lettering): void {
  const { unit, pad, left } = place;
  const first = Math.max(0, Math.floor(left) - pad);
  const last = Math.min(word.width, Math.ceil(left + glyph.width * unit) + pad);
  const half = (lettering.weight * unit) / 2;
  const rim = (lettering.outline * unit) / 2;
  for (let row = 0; row < word.height; row++) {
    for (let column = first; column < last; column++) {
      const nearest = squaredDistance(glyph, unit, column + 0.5 - left, row + 0.5 - pad);
      let reach = Math.sqrt(nearest) - half;
      if (lettering.outline) reach = Math.abs(reach + rim) - rim;
      const at = row * word.width + column;
      word.alpha[at] = Math.max(word.alpha[at], asAlpha(0.5 - reach));
    }
  }
}

function squaredDistance(glyph: GlyphEntry, unit: number, x: number, y: number): number {
  let nearest = 1e6;
  for (const stroke of glyph.strokes) {
    for (let at = 0; at + 3 < stroke.length; at += 2) {
      const x0 = stroke[at] * unit;
      const y0 = stroke[at + 1] * unit;
      const alongX = stroke[at + 2] * unit - x0;
      const alongY = stroke[at + 3] * unit - y0;
      const length = alongX * alongX + alongY * alongY;
      const raw = length === 0 ? 0 : ((x - x0) * alongX + (y - y0) * alongY) / length;
      const share = Math.max(0, Math.min(1, raw));
      const offX = x - x0 - share * alongX;
      const offY = y - y0 - share * alongY;
      const distance = offX * offX + offY * offY;
      if (distance < nearest) nearest = distance;
    }
  }
  return nearest;
}
