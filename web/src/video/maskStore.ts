/** Masks of one medium by frame and object, in windows that come and go, so that memory stays flat. */
import type { Mask } from "../masks/runs";

export interface StoredMask {
  readonly objectId: number;
  readonly frame: number;
  readonly mask: Mask;
  readonly score: number;
  readonly presence: number;
  readonly isPrompted: boolean;
  readonly isBackward: boolean;
}

export const WINDOW = 120;
const MOST_WINDOWS = 24;

export class MaskStore {
  private readonly frames = new Map<number, Map<number, StoredMask>>();
  private readonly windows = new Map<number, "loading" | "loaded">();

  at(frame: number): readonly StoredMask[] {
    return [...(this.frames.get(frame)?.values() ?? [])];
  }

  find(objectId: number, frame: number): StoredMask | null {
    return this.frames.get(frame)?.get(objectId) ?? null;
  }

  put(one: StoredMask): void {
    let frame = this.frames.get(one.frame);
    if (frame === undefined) this.frames.set(one.frame, (frame = new Map()));
    frame.set(one.objectId, one);
  }

  remove(objectId: number, frames: Iterable<number>): void {
    for (const frame of frames) this.frames.get(frame)?.delete(objectId);
  }

  removeObject(objectId: number): void {
    for (const frame of this.frames.values()) frame.delete(objectId);
  }

  /** Forget which windows are loaded; what is shown stays until its window has come again. */
  invalidate(): void {
    this.windows.clear();
  }

  clear(): void {
    this.frames.clear();
    this.windows.clear();
  }

  /** The window around a frame when it must be fetched, or null; it counts as being fetched from then on. */
  missingWindow(frame: number, numFrames: number): { start: number; stop: number } | null {
    const place = Math.floor(frame / WINDOW);
    const known = this.windows.get(place);
    this.windows.delete(place);
    this.windows.set(place, known ?? "loading");
    if (known !== undefined) return null;
    return { start: place * WINDOW, stop: Math.min(numFrames, (place + 1) * WINDOW) };
  }

  /** A window has come: exactly these masks are on its frames. */
  fill(start: number, stop: number, masks: readonly StoredMask[]): void {
    for (let frame = start; frame < stop; frame++) this.frames.delete(frame);
    for (const one of masks) this.put(one);
    this.windows.set(Math.floor(start / WINDOW), "loaded");
    this.dropOldest();
  }

  /** A window did not come; it may be asked for again. */
  giveUp(start: number): void {
    this.windows.delete(Math.floor(start / WINDOW));
  }

  private dropOldest(): void {
    for (const [place, state] of this.windows) {
      if (this.windows.size <= MOST_WINDOWS) return;
      if (state === "loading") continue;
      this.windows.delete(place);
      for (let frame = place * WINDOW; frame < (place + 1) * WINDOW; frame++) this.frames.delete(frame);
    }
  }
}
