/** The frame with its effects: drawn in a worker, one at a time, always the newest. */
import type { EffectSettings } from "../effects";
import type { Media } from "../model/document";
import { withColors } from "../model/effectChoices";
import type { StudioSession } from "../session/studioSession";
import type { StoredMask } from "../video/maskStore";
import { EffectsWorker } from "../video/effectsWorker";
import { PreviewHeight } from "./previewHeight";

interface Rendered {
  readonly mediaId: string;
  readonly frame: number;
  readonly height: number;
  readonly settings: EffectSettings;
  /** The objects' own colours, which effects may take. */
  readonly colors: string;
  readonly masks: readonly StoredMask[];
  readonly picture: ImageBitmap;
}

export class EffectsPainter {
  shown: Rendered | null = null;
  private readonly worker = new EffectsWorker();
  private readonly heights = new PreviewHeight();
  private isRendering = false;
  private isAskedAgain = false;

  constructor(
    private readonly session: StudioSession,
    private readonly onRendered: () => void,
  ) {}

  close(): void {
    this.worker.close();
    this.shown?.picture.close();
  }

  /** Have the frame that is shown now drawn with the effects that are set now. */
  async want(media: Media): Promise<void> {
    if (this.isRendering) {
      this.isAskedAgain = true;
      return;
    }
    const { state, desk, frames } = this.session;
    const picture = frames.picture(state.frame);
    const masks = visibleMasks(media, desk.masks.at(state.frame));
    const isMoving = state.isPlaying || state.isFollowing;
    const height = this.heights.of(media.height, isMoving);
    if (picture === null || this.isShown(media, masks, isMoving ? null : height)) return;
    this.isRendering = true;
    const { frame } = state;
    const colors = colorsOf(media);
    const chosen = withColors(state.effects, media);
    const size = { width: Math.round((media.width * height) / media.height), height };
    const began = performance.now();
    try {
      const made = await this.worker.render({ picture, masks, settings: chosen, index: frame, size });
      if (isMoving) this.heights.learn(performance.now() - began);
      this.shown?.picture.close();
      this.shown = { mediaId: media.id, frame, height, settings: state.effects, colors, masks, picture: made };
    } catch (error) {
      this.session.tellError(error);
    } finally {
      this.isRendering = false;
    }
    this.onRendered();
    if (this.isAskedAgain) {
      this.isAskedAgain = false;
      await this.want(media);
    }
  }

  /** Whether the frame and the effects that are wanted now are what is shown. */
  isCurrent(media: Media): boolean {
    return this.isShown(media, visibleMasks(media, this.session.desk.masks.at(this.session.state.frame)), null);
  }

  /** Whether what is shown is what is wanted; of this height, or of any. */
  private isShown(media: Media, masks: readonly StoredMask[], height: number | null): boolean {
    const { shown } = this;
    const { state } = this.session;
    return (
      shown?.mediaId === media.id &&
      shown.frame === state.frame &&
      (height === null || shown.height === height) &&
      shown.settings === state.effects &&
      shown.colors === colorsOf(media) &&
      shown.masks.length === masks.length &&
      shown.masks.every((one, place) => one === masks[place])
    );
  }
}

function colorsOf(media: Media): string {
  return media.objects.map((one) => `${String(one.id)}${one.color}`).join(" ");
}

function visibleMasks(media: Media, masks: readonly StoredMask[]): StoredMask[] {
  const visible = new Set(media.objects.filter((one) => one.is_visible).map((one) => one.id));
  return masks.filter((one) => visible.has(one.objectId));
}
