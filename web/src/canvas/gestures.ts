/** Mouse, pen and fingers on the stage. */
import { distance, middle, screenPoint, type ImagePoint, type ScreenPoint } from "../geometry/points";
import { candidateAt } from "../session/candidates";
import { canPreview, showPreview } from "../session/drawing";
import type { StudioSession } from "../session/studioSession";
import type { Scene } from "./scene";
import { beginDrag } from "./tools";

const REST_MS = { image: 60, video: 160 };

export class Gestures {
  private readonly fingers = new Map<number, ScreenPoint>();
  private resting: ReturnType<typeof setTimeout> | null = null;
  /** Where the pointer rests and no preview was asked for yet. */
  private wanted: ImagePoint | null = null;
  private isAsking = false;
  private isShiftHeld = false;

  constructor(
    private readonly session: StudioSession,
    private readonly scene: Scene,
    private readonly element: HTMLElement,
  ) {
    const listen = <K extends keyof HTMLElementEventMap>(type: K, handle: (event: HTMLElementEventMap[K]) => void): void => {
      element.addEventListener(type, handle, { signal: this.ended.signal, passive: false });
    };
    listen("pointerdown", (event) => { this.down(event); });
    listen("pointermove", (event) => { this.move(event); });
    listen("pointerup", (event) => { this.up(event); });
    listen("pointercancel", (event) => { this.cancel(event); });
    listen("pointerleave", () => { this.leave(); });
    listen("wheel", (event) => { this.wheel(event); });
    listen("contextmenu", (event) => { event.preventDefault(); });
    const key = (event: KeyboardEvent): void => { if (event.key === "Shift") this.isShiftHeld = event.type === "keydown"; };
    window.addEventListener("keydown", key, { signal: this.ended.signal });
    window.addEventListener("keyup", key, { signal: this.ended.signal });
  }

  private readonly ended = new AbortController();

  close(): void {
    this.ended.abort();
    this.forgetPreview();
  }

  private down(event: PointerEvent): void {
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.forgetPreview();
    this.session.store.set({ cursor: null });
    this.element.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.place(event));
    if (this.fingers.size > 1) {
      this.scene.drag = null; // two fingers move the picture
      this.scene.redraw();
      return;
    }
    const press = {
      at: this.scene.toImage(this.place(event)),
      isOther: event.button === 2 || event.altKey,
      isTouch: event.pointerType === "touch",
    };
    const isPanning = event.button === 1 || this.isShiftHeld;
    this.scene.drag = beginDrag(this.session, this.scene, press, isPanning);
    this.scene.redraw();
  }

  private move(event: PointerEvent): void {
    const at = this.place(event);
    this.scene.pointer = event.pointerType === "touch" ? null : at;
    const before = this.fingers.get(event.pointerId);
    if (before !== undefined && this.fingers.size === 2) this.pinch(event.pointerId, before, at);
    if (before !== undefined) this.fingers.set(event.pointerId, at);
    if (this.scene.drag !== null) this.scene.drag.move(this.scene.toImage(at));
    else if (before === undefined) this.hover(at);
    if (this.session.state.tool === "brush") this.scene.redraw();
  }

  private up(event: PointerEvent): void {
    const { drag } = this.scene;
    this.fingers.delete(event.pointerId);
    this.scene.drag = null;
    drag?.end(this.scene.toImage(this.place(event)));
    this.scene.redraw();
  }

  private cancel(event: PointerEvent): void {
    this.fingers.delete(event.pointerId);
    this.scene.drag = null;
    this.scene.redraw();
  }

  private leave(): void {
    this.scene.pointer = null;
    this.forgetPreview();
    const { candidates } = this.session.state;
    if (candidates !== null) this.session.store.set({ candidates: { ...candidates, hovered: null } });
    this.scene.redraw();
  }

  private pinch(id: number, before: ScreenPoint, after: ScreenPoint): void {
    const other = [...this.fingers].find(([finger]) => finger !== id)?.[1];
    if (other === undefined) return;
    const from = middle(before, other);
    const to = middle(after, other);
    this.scene.pan(to.x - from.x, to.y - from.y);
    this.scene.zoom(distance(after, other) / Math.max(1, distance(before, other)), to);
  }

  private wheel(event: WheelEvent): void {
    event.preventDefault();
    const strength = event.ctrlKey ? 0.01 : 0.0018;
    this.scene.zoom(Math.exp(-event.deltaY * strength), this.place(event));
  }

  private hover(at: ScreenPoint): void {
    const { state, media } = this.session;
    const point = this.scene.toImage(at);
    if (state.candidates !== null) {
      const hovered = candidateAt(this.session, point);
      if (hovered !== state.candidates.hovered) this.session.store.set({ candidates: { ...state.candidates, hovered } });
      return;
    }
    this.stopAsking();
    if (media === null || !canPreview(this.session)) return;
    if (point.x < 0 || point.y < 0 || point.x >= media.width || point.y >= media.height) {
      this.session.store.set({ preview: null });
      return;
    }
    this.wanted = point;
    this.resting = setTimeout(() => void this.ask(), REST_MS[media.kind]);
  }

  /** One preview at a time, so that a click waits for at most one; then the place where the pointer is by now. */
  private async ask(): Promise<void> {
    this.resting = null;
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.wanted !== null && this.resting === null) {
      const point = this.wanted;
      await showPreview(this.session, point, () => this.wanted === point);
      if (this.wanted === point) this.wanted = null;
    }
    this.isAsking = false;
  }

  private stopAsking(): void {
    if (this.resting !== null) clearTimeout(this.resting);
    this.resting = null;
    this.wanted = null;
  }

  private forgetPreview(): void {
    this.stopAsking();
    this.session.store.set({ preview: null });
  }

  private place(event: MouseEvent): ScreenPoint {
    const { left, top } = this.element.getBoundingClientRect();
    return screenPoint(event.clientX - left, event.clientY - top);
  }
}
