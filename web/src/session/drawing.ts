/** What a pointer does on the picture, as edits. */
import { findCandidates, previewPrompt } from "../api/requests";
import type { Box } from "../geometry/box";
import { clampToImage, type ImagePoint } from "../geometry/points";
import { drawStroke, fillPolygon } from "../geometry/shapes";
import { emptyMask, fromBitmap, subtract, toBitmap, union, contains, areaOf, type Mask } from "../masks/runs";
import { findObject, nextObjectId, noPrompts, paletteColor, promptsAt, type Media } from "../model/document";
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
  const { media, objectId, frame } = target;
  const isFirst = target.isNew || findObject(media, objectId)?.prompts.length === 0;
  if (isFirst && !isPositive) session.tell("The first point goes on the object.");
  session.edit({
    kind: "add-click",
    mediaId: media.id,
    objectId,
    frame,
    point: clampToImage(point, media),
    isPositive: isPositive || isFirst,
  });
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

function giveMask(session: StudioSession, target: Target, mask: Mask): void {
  if (areaOf(mask) === 0) {
    session.tell("Nothing would be left of the mask; remove the object instead.");
    return;
  }
  session.desk.putPainted(target.objectId, target.frame, mask);
  session.edit({ kind: "set-mask", ...placeOf(target), ...maskEdit(mask) });
}

function placeOf(target: Target): { mediaId: string; objectId: number; frame: number } {
  return { mediaId: target.media.id, objectId: target.objectId, frame: target.frame };
}

/** Show what a click here would give; only where nothing was said of the object yet. */
export async function showPreview(session: StudioSession, point: ImagePoint, signal: AbortSignal): Promise<void> {
  const { media, state } = session;
  if (media === null || !canPreview(session)) return;
  try {
    const prompts = { ...noPrompts, clicks: [[point.x, point.y, true] as const] };
    const found = await previewPrompt(media.id, state.frame, prompts, signal);
    const [mask] = await session.desk.decode([found.counts], media);
    if (!signal.aborted && canPreview(session)) session.store.set({ preview: mask });
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

// everything mode

export async function proposeEverything(session: StudioSession): Promise<void> {
  const { media, state } = session;
  if (media === null) return;
  session.pause();
  session.store.set({ candidates: { status: "searching", list: [], hovered: null, chosen: [] }, preview: null });
  const isDone = await session.attempt(async () => {
    const found = await findCandidates(media.id, state.frame);
    const masks = await session.desk.decode(found.map((one) => one.counts), media);
    if (session.state.candidates?.status !== "searching" || session.state.frame !== state.frame) return;
    const list = found.map((one, place) => ({
      mask: masks[place],
      counts: one.counts,
      score: one.score,
      color: paletteColor(place + 1),
    }));
    session.store.set({ candidates: { status: "ready", list, hovered: null, chosen: [] } });
    if (list.length === 0) session.tell("Nothing stands out on this frame; click an object instead.");
  });
  if (!isDone) session.store.set({ candidates: null });
}

export function candidateAt(session: StudioSession, point: ImagePoint): number | null {
  const list = session.state.candidates?.list ?? [];
  let found: number | null = null;
  list.forEach((one, place) => {
    if (!contains(one.mask, point.x, point.y)) return;
    if (found === null || areaOf(one.mask) < areaOf(list[found].mask)) found = place;
  });
  return found;
}

export function toggleCandidate(session: StudioSession, place: number): void {
  const { candidates } = session.state;
  if (candidates === null) return;
  const chosen = candidates.chosen.includes(place)
    ? candidates.chosen.filter((one) => one !== place)
    : [...candidates.chosen, place];
  session.store.set({ candidates: { ...candidates, chosen } });
}

/** Put one candidate in place of the chosen ones: all together, or the first without the others. */
export function combineCandidates(session: StudioSession, how: "merge" | "subtract"): void {
  const { candidates } = session.state;
  if (candidates === null || candidates.chosen.length < 2) return;
  const [first, ...others] = candidates.chosen.map((place) => candidates.list[place]);
  const mask = others.reduce((made, one) => (how === "merge" ? union : subtract)(made, one.mask), first.mask);
  if (areaOf(mask) === 0) {
    session.tell("Nothing would be left; choose the larger one first.");
    return;
  }
  const gone = new Set(how === "merge" ? candidates.chosen : candidates.chosen.slice(0, 1));
  const list = candidates.list.filter((_, place) => !gone.has(place));
  const made = { ...first, mask, counts: maskEdit(mask).counts };
  session.store.set({ candidates: { ...candidates, list: [made, ...list], chosen: [0], hovered: null } });
}

export function rejectCandidates(session: StudioSession): void {
  const { candidates } = session.state;
  if (candidates === null) return;
  const list = candidates.list.filter((_, place) => !candidates.chosen.includes(place));
  session.store.set({ candidates: { ...candidates, list, chosen: [], hovered: null } });
}

export function acceptCandidates(session: StudioSession): void {
  const { candidates, frame } = session.state;
  if (candidates === null || session.media === null) return;
  const accepted = candidates.chosen.map((place) => candidates.list[place]);
  for (const { mask } of accepted) {
    const { media } = session;
    if (media !== null) giveMask(session, { media, objectId: nextObjectId(media), frame, isNew: true }, mask);
  }
  session.store.set({ candidates: null, selectedId: session.media.objects.at(-1)?.id ?? null, isNewObject: false });
}
