/** What the page and its mask worker say to each other. */
import type { MaskMessage } from "../masks/message";
import type { PaintedMask } from "../masks/paint";
import type { Box } from "../geometry/box";
import type { Size } from "../geometry/points";

export type Ask =
  | { readonly kind: "message"; readonly buffer: ArrayBuffer }
  | { readonly kind: "counts"; readonly ticket: number; readonly counts: readonly string[] }
  | { readonly kind: "paint"; readonly ticket: number; readonly masks: readonly PaintedMask[]; readonly size: Size };

export type Answer =
  | { readonly kind: "message"; readonly message: MaskMessage }
  | { readonly kind: "counts"; readonly ticket: number; readonly runs: readonly Uint32Array[] }
  | { readonly kind: "paint"; readonly ticket: number; readonly picture: ImageBitmap; readonly box: Box }
  | { readonly kind: "failed"; readonly ticket: number | null; readonly reason: string };
