/** The coloured masks over a frame: what to paint, and the newest picture of it. */
import type { Size } from "../geometry/points";
import { parseColor, type PaintedMask } from "../masks/paint";
import { areaOf } from "../masks/runs";
import { nextObjectId, paletteColor, type Media } from "../model/document";
import type { StudioSession } from "../session/studioSession";
import type { PaintedPart } from "../video/maskWorker";

const OBJECT = { fill: 0.36, outline: 0.95 };
const SELECTED = { fill: 0.5, outline: 1, rim: 0.9 };
const DIMMED = { fill: 0.12, outline: 0.35 };
const PREVIEW = { fill: 0.28, outline: 0.85 };
const CANDIDATE = { fill: 0.34, outline: 0.9 };
const CHOSEN = { fill: 0.66, outline: 1 };
const BESIDE_HOVERED = { fill: 0.08, outline: 0.3 };

/** The masks to paint on the frame that is shown, lowest first. */
export function overlayOf(session: StudioSession, media: Media): PaintedMask[] {
  const { state, desk } = session;
  if (!state.isOverlayShown) return [];
  const found: PaintedMask[] = [];
  const order = [...media.objects].sort((a, b) => Number(a.id === state.selectedId) - Number(b.id === state.selectedId));
  for (const object of order) {
    const one = object.is_visible ? desk.masks.find(object.id, state.frame) : null;
    if (one === null) continue;
    const strength = state.candidates !== null ? DIMMED : object.id === state.selectedId ? SELECTED : OBJECT;
    found.push({ mask: one.mask, style: { color: parseColor(object.color), ...strength } });
  }
  const { candidates, preview } = state;
  const isMarked = (place: number): boolean =>
    candidates !== null && (candidates.chosen.includes(place) || candidates.hovered === place);
  const paintCandidates = (isWanted: (place: number) => boolean, strength: typeof CHOSEN): void => {
    const listed = (candidates?.list ?? []).map((one, place) => ({ ...one, place, area: areaOf(one.mask) }));
    for (const { mask, color, place } of listed.sort((a, b) => b.area - a.area)) {
      if (isWanted(place)) found.push({ mask, style: { color: parseColor(color), ...strength } });
    }
  };
  paintCandidates((place) => !isMarked(place), candidates?.hovered == null ? CANDIDATE : BESIDE_HOVERED);
  paintCandidates(isMarked, CHOSEN);
  if (preview !== null) {
    const color = session.selected?.color ?? paletteColor(nextObjectId(media));
    found.push({ mask: preview, style: { color: parseColor(color), ...PREVIEW } });
  }
  return found;
}

function isSame(first: readonly PaintedMask[], second: readonly PaintedMask[]): boolean {
  return (
    first.length === second.length &&
    first.every(({ mask, style }, place) => {
      const other = second[place];
      return (
        mask === other.mask &&
        style.fill === other.style.fill &&
        style.outline === other.style.outline &&
        style.rim === other.style.rim &&
        style.color.every((value, channel) => value === other.style.color[channel])
      );
    })
  );
}

interface Place {
  readonly mediaId: string;
  readonly frame: number;
}

interface Painted extends Place {
  readonly masks: readonly PaintedMask[];
  readonly part: PaintedPart | null;
}

/** Paints in the worker, one picture at a time, always the newest. */
export class OverlayPainter {
  /** The newest overlay that is ready; without a picture when its frame has no masks. */
  shown: Painted | null = null;
  private wanted: { place: Place; masks: readonly PaintedMask[]; size: Size } | null = null;
  private isPainting = false;

  constructor(
    private readonly session: StudioSession,
    private readonly onPainted: () => void,
  ) {}

  /** Say what is to be seen now. */
  want(place: Place, masks: readonly PaintedMask[], size: Size): void {
    this.wanted = null;
    const { shown } = this;
    if (shown?.mediaId === place.mediaId && shown.frame === place.frame && isSame(shown.masks, masks)) return;
    if (masks.length === 0) {
      this.replace({ ...place, masks, part: null });
      return;
    }
    this.wanted = { place, masks, size };
    void this.paint();
  }

  private async paint(): Promise<void> {
    if (this.isPainting) return;
    this.isPainting = true;
    try {
      while (this.wanted !== null) {
        const { place, masks, size } = this.wanted;
        this.wanted = null;
        const part = await this.session.desk.paint(masks, size);
        this.replace({ ...place, masks, part });
        this.onPainted();
      }
    } catch (error) {
      this.session.tellError(error);
    } finally {
      this.isPainting = false;
    }
  }

  private replace(next: Painted): void {
    if (this.shown?.part !== next.part) this.shown?.part?.picture.close();
    this.shown = next;
  }
}
