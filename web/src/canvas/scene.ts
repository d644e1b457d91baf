/** The two canvases of the stage: the picture with its masks below, what the pointer is doing above. */
import { imagePoint, screenPoint, type ImagePoint, type ScreenPoint, type Size } from "../geometry/points";
import { fitView, panBy, toImage, toScreen, zoomAt, type View } from "../geometry/view";
import { promptsAt, type Media, type Prompts } from "../model/document";
import type { StudioSession } from "../session/studioSession";
import type { PaintedPart } from "../video/maskWorker";
import { drawBox, drawBrush, drawCross, drawPoints } from "./marks";
import { EffectsPainter } from "./effectsPainter";
import { Lag } from "./lag";
import { OverlayPainter, overlayOf } from "./overlay";

const MARGIN = 16;

export interface Drag {
  readonly move: (point: ImagePoint) => void;
  readonly end: (point: ImagePoint) => void;
  readonly draw?: (context: CanvasRenderingContext2D, view: View) => void;
}

interface Layers {
  readonly shown: { readonly mediaId: string; readonly frame: number; readonly masks: readonly unknown[] };
  readonly picture: ImageBitmap;
  readonly overlay: PaintedPart | null;
}

export class Scene {
  view: View = { scale: 1, offsetX: 0, offsetY: 0 };
  drag: Drag | null = null;
  pointer: ScreenPoint | null = null;
  private stage: Size = { width: 1, height: 1 };
  private readonly painter: OverlayPainter;
  private readonly effects: EffectsPainter;
  private readonly lag: Lag;
  private lagging: unknown = null;
  private mediaId: string | null = null;
  private isFitted = true;
  private asked = 0;
  private drawnBelow: readonly unknown[] = [];
  private isAboveEmpty = true;
  private readonly stop: () => void;

  constructor(
    private readonly session: StudioSession,
    private readonly below: HTMLCanvasElement,
    private readonly above: HTMLCanvasElement,
  ) {
    this.painter = new OverlayPainter(session, () => { this.drawNow(); });
    this.effects = new EffectsPainter(session, () => { this.drawNow(); });
    this.lag = new Lag((isBehind) => { session.store.set({ isBehind }); });
    this.stop = session.store.subscribe(() => { this.redraw(); });
  }

  close(): void {
    this.stop();
    this.effects.close();
    this.lag.close();
    cancelAnimationFrame(this.asked);
  }

  get size(): Size | null {
    return this.session.media;
  }

  resize(width: number, height: number): void {
    this.stage = { width: Math.max(1, width), height: Math.max(1, height) };
    this.isAboveEmpty = true;
    for (const canvas of [this.below, this.above]) {
      canvas.width = Math.round(this.stage.width * ratio());
      canvas.height = Math.round(this.stage.height * ratio());
    }
    this.drawnBelow = [];
    if (this.isFitted) this.fit();
    this.draw();
  }

  fit(): void {
    if (this.size !== null) this.view = fitView(this.size, this.stage, this.stage.width < 600 ? 0 : MARGIN);
    this.isFitted = true;
    this.redraw();
  }

  zoom(factor: number, at: ScreenPoint = screenPoint(this.stage.width / 2, this.stage.height / 2)): void {
    if (this.size === null) return;
    this.view = zoomAt(this.view, at, factor, this.size, this.stage);
    this.isFitted = false;
    this.redraw();
  }

  pan(dx: number, dy: number): void {
    if (this.size === null) return;
    this.view = panBy(this.view, dx, dy, this.size, this.stage);
    this.isFitted = false;
    this.redraw();
  }

  toImage(point: ScreenPoint): ImagePoint {
    return toImage(this.view, point);
  }

  toScreen(x: number, y: number): ScreenPoint {
    return toScreen(this.view, imagePoint(x, y));
  }

  redraw(): void {
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => { this.draw(); });
  }

  /** What was painted elsewhere is here: it need not wait for another turn. */
  private drawNow(): void {
    cancelAnimationFrame(this.asked);
    this.draw();
  }

  private draw(): void {
    const { media, state } = this.session;
    if (media?.id !== this.mediaId) {
      this.mediaId = media?.id ?? null;
      this.fit();
    }
    if (media === null) return;
    if (this.hasEffects) void this.effects.want(media);
    else this.painter.want({ mediaId: media.id, frame: state.frame }, overlayOf(this.session, media), media);
    this.drawBelow(media);
    this.drawAbove();
    this.noteLag(media);
  }

  private get hasEffects(): boolean {
    const { panel, candidates } = this.session.state;
    return panel === "effects" && candidates === null;
  }

  private noteLag(media: Media): void {
    const shown = this.layers()?.shown;
    const isCurrent =
      shown?.mediaId === media.id && (this.hasEffects ? this.effects.isCurrent(media) : shown.frame === this.session.state.frame);
    this.lag.note(isCurrent, shown !== this.lagging, performance.now());
    this.lagging = shown;
  }

  /** The newest frame whose masks are painted, together with them: the two are never of different frames. */
  private layers(): Layers | null {
    if (this.hasEffects) {
      const { shown } = this.effects;
      return shown === null ? null : { shown, picture: shown.picture, overlay: null };
    }
    const { shown } = this.painter;
    const picture = shown === null ? null : this.session.frames.picture(shown.frame);
    return shown === null || picture === null ? null : { shown, picture, overlay: shown.part };
  }

  private drawBelow(media: Media): void {
    const layers = this.layers();
    if (layers?.shown.mediaId !== media.id) return;
    const { shown, picture, overlay } = layers;
    const { scale, offsetX, offsetY } = this.view;
    const wanted = [media.id, shown.frame, picture, overlay, shown.masks.length, scale, offsetX, offsetY];
    if (wanted.every((one, place) => one === this.drawnBelow[place])) return;
    const context = cleared(this.below);
    if (context === null) return;
    this.drawnBelow = wanted;
    const shrinks = scale * ratio() < media.height / picture.height;
    context.imageSmoothingEnabled = scale * ratio() < 6;
    context.imageSmoothingQuality = shrinks && !this.session.state.isPlaying ? "medium" : "low";
    context.drawImage(picture, offsetX, offsetY, media.width * scale, media.height * scale);
    if (overlay !== null) {
      const [left, top, right, bottom] = overlay.box;
      const [x, y] = [offsetX + left * scale, offsetY + top * scale];
      context.drawImage(overlay.picture, x, y, (right - left) * scale, (bottom - top) * scale);
    }
    if (this.session.state.isPlaying) this.session.frames.noteDrawn(shown.frame);
    this.below.dataset["frame"] = String(shown.frame);
    this.below.dataset["masks"] = String(shown.masks.length);
    this.below.dataset["view"] = [scale, offsetX, offsetY].join(" ");
  }

  private shownPrompts(media: Media): Prompts | null {
    const { selected, state } = this.session;
    return selected === null || state.candidates !== null ? null : promptsAt(media, selected.id, state.frame);
  }

  private brushPlace(): ScreenPoint | null {
    const { state } = this.session;
    return state.tool === "brush" && state.candidates === null ? this.pointer : null;
  }

  private drawAbove(): void {
    const { media, state } = this.session;
    if (media === null) return;
    const prompts = this.shownPrompts(media);
    const brushAt = this.brushPlace();
    const parts = [prompts, brushAt, state.cursor, this.drag?.draw ?? null];
    const isEmpty = parts.every((one) => one === null);
    const context = isEmpty && this.isAboveEmpty ? null : cleared(this.above);
    if (context === null) return;
    this.isAboveEmpty = isEmpty;
    if (prompts !== null) drawPrompts(context, this.view, prompts, this.session.selected?.color ?? "#ffffff");
    this.drag?.draw?.(context, this.view);
    if (brushAt !== null) drawBrush(context, brushAt, state.brushRadius * this.view.scale, state.isAdding);
    if (state.cursor !== null) drawCross(context, this.toScreen(...state.cursor), this.stage);
  }
}

function drawPrompts(context: CanvasRenderingContext2D, view: View, prompts: Prompts, color: string): void {
  if (prompts.box != null) drawBox(context, view, prompts.box, color);
  drawPoints(context, view, prompts.clicks, color);
}

function ratio(): number {
  return window.devicePixelRatio || 1;
}

function cleared(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const context = canvas.getContext("2d");
  context?.setTransform(1, 0, 0, 1, 0, 0);
  context?.clearRect(0, 0, canvas.width, canvas.height);
  context?.setTransform(ratio(), 0, 0, ratio(), 0, 0);
  return context;
}
