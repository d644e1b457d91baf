/** What a pointer does on the picture, as edits. */
import { previewPrompt } from "../api/requests";
import type { Box } from "../geometry/box";
import { clampToImage, type ImagePoint } from "../geometry/points";
import { drawStroke, fillPolygon } from "../geometry/shapes";
import { areaOf, contains, emptyMask, fromBitmap, toBitmap, type Mask } from "../masks/runs";
import { findObject, nextObjectId, noPrompts, promptsAt, type Media } from "../model/document";
import { maskEdit } from "./maskDesk";
import type { StudioSession } from "./studioSession";

interface Target {
  readonly media: Media;
  readonly objectId: number;
  readonly frame: number;
  readonly isNew: boolean;
}

/** The object that the next prompt is about; null, with a word to the person, when it may not be changed. */
function beginPrompt(session: StudioSession): Target | null {
  const { media, state } = session;
  if (media === null) return null;
  session.pause();
  session.store.set({ isFollowing: false });
  const known = findObject(media, state.selectedId);
  if (known?.is_locked === true) {
    session.tell(`${known.name} is locked; unlock it to change it.`);
    return null;
  }
  const objectId = known?.id ?? nextObjectId(media);
  session.store.set({ selectedId: objectId, isNewObject: false });
  return { media, objectId, frame: state.frame, isNew: known === null };
}

export function addClick(session: StudioSession, point: ImagePoint, isPositive: boolean): void {
  const target = beginPrompt(session);
  if (target === null) return;
  const { media, objectId } = target;
  const isBare = findObject(media, objectId)?.prompts.length === 0 && session.desk.lanes.numKnown(objectId) === 0;
  const isFirst = target.isNew || isBare;
  if (isFirst && !isPositive) session.tell("The first point goes on the object.");
  session.edit({
    kind: "add-click",
    ...placeOf(target),
    point: clampToImage(point, media),
    isPositive: isPositive || isFirst,
    ...baseOf(session, target),
  });
}

/** A mask that was drawn elsewhere is corrected by a click, not replaced. */
function baseOf(session: StudioSession, { media, objectId, frame }: Target): { base?: { size: readonly [number, number]; counts: string } } {
  const known = session.desk.masks.find(objectId, frame);
  const isImported = known?.isPrompted === true && promptsAt(media, objectId, frame) === null && areaOf(known.mask) > 0;
  return isImported ? { base: maskEdit(known.mask) } : {};
}

export function removeClick(session: StudioSession, point: ImagePoint): void {
  const target = beginPrompt(session);
  if (target === null) return;
  session.edit({ kind: "remove-click", ...placeOf(target), point });
}

export function moveClick(session: StudioSession, from: ImagePoint, to: ImagePoint): void {
  const target = beginPrompt(session);
  if (target === null) return;
  session.edit({ kind: "move-click", ...placeOf(target), from, to: clampToImage(to, target.media) });
}

export function setBox(session: StudioSession, box: Box): void {
  const target = beginPrompt(session);
  if (target !== null) session.edit({ kind: "set-box", ...placeOf(target), box });
}

/** Add what a brush covers to the object's mask, or take it away. */
export function paintStroke(session: StudioSession, points: readonly ImagePoint[], isAdding: boolean): void {
  const { brushRadius } = session.state;
  changeMask(session, (bitmap, size) => {
    const value = isAdding ? 1 : 0;
    points.forEach((point, place) => {
      drawStroke(bitmap, size, [points[Math.max(0, place - 1)], point], brushRadius, value);
    });
  });
}

/** Add what a closed line surrounds, or take it away. */
export function paintPolygon(session: StudioSession, points: readonly ImagePoint[], isAdding: boolean): void {
  changeMask(session, (bitmap, size) => { fillPolygon(bitmap, size, points, isAdding ? 1 : 0); });
}

function changeMask(session: StudioSession, draw: (bitmap: Uint8Array, size: Media) => void): void {
  const target = beginPrompt(session);
  if (target === null) return;
  const { media, objectId, frame } = target;
  const known = session.desk.masks.find(objectId, frame)?.mask ?? emptyMask(media);
  const bitmap = toBitmap(known);
  draw(bitmap, media);
  giveMask(session, target, fromBitmap(bitmap, media));
}

/** Say that an object is this mask. */
function giveMask(session: StudioSession, target: Target, mask: Mask): void {
  if (areaOf(mask) === 0) {
    session.tell("Nothing would be left of the mask; remove the object instead.");
    return;
  }
  session.desk.putPainted(target.objectId, target.frame, mask);
  session.edit({ kind: "set-mask", ...placeOf(target), ...maskEdit(mask) });
}

function placeOf(target: Target): { mediaId: string; objectId: number; frame: number; isNew: boolean } {
  return { mediaId: target.media.id, objectId: target.objectId, frame: target.frame, isNew: target.isNew };
}

/** Show what a click here would give, if that is still `isWanted` then; only where nothing was said of the object yet. */
export async function showPreview(session: StudioSession, point: ImagePoint, isWanted: () => boolean): Promise<void> {
  const { media, state } = session;
  if (media === null || !canPreview(session)) return;
  try {
    const prompts = { ...noPrompts, clicks: [[point.x, point.y, true] as const] };
    const found = await previewPrompt(media.id, state.frame, prompts);
    if (!isWanted()) return;
    const [mask] = await session.desk.decode([found.counts], media);
    const isSame = session.media?.id === media.id && session.state.frame === state.frame;
    if (isSame && isWanted() && canPreview(session)) session.store.set({ preview: mask });
  } catch {
    // a preview that does not come is no loss
  }
}

export function canPreview(session: StudioSession): boolean {
  const { media, state } = session;
  if (media === null || state.tool !== "click" || state.isPlaying || state.isBusy || state.candidates !== null) return false;
  if (state.jobs.some((job) => job.status === "running")) return false;
  const known = findObject(media, state.selectedId);
  return known === null || (!known.is_locked && promptsAt(media, known.id, state.frame) === null && known.prompts.length === 0);
}

/** The object whose mask lies under a point, the smallest first. */
export function objectAt(session: StudioSession, point: ImagePoint): number | null {
  const { media, state } = session;
  const shown = new Set(media?.objects.filter((one) => one.is_visible).map((one) => one.id));
  const hit = session.desk.masks
    .at(state.frame)
    .filter((one) => shown.has(one.objectId) && contains(one.mask, point.x, point.y))
    .sort((a, b) => areaOf(a.mask) - areaOf(b.mask));
  return hit[0]?.objectId ?? null;
}
