/** Pictures of the medium that is open, and the clock that plays them. */
import { send } from "../api/client";
import { frameAddress, loadTimes } from "../api/requests";
import type { Media } from "../model/document";
import { FrameCache, framesAround, type FrameKey } from "../video/frameCache";
import { PlayClock, PlayPlan } from "../video/playback";

const MOST_HEIGHT = 1080;
/** Frames to have ready; while tracking, which jumps ahead from frame to frame, none besides the one shown. */
const AHEAD = { paused: 6, playing: 24, following: 0 };
const BEHIND = { paused: 4, playing: 0, following: 0 };

export interface FrameEvents {
  onLoaded: (frame: number) => void;
  onError: (error: unknown) => void;
  onTimes: (timesS: readonly number[]) => void;
  /** Playing wants this frame to be shown. */
  onPlay: (frame: number, isOver: boolean) => void;
}

export class FrameDesk {
  private readonly cache: FrameCache;
  private readonly clock = new PlayClock();
  private media: Media | null = null;
  private timesS: readonly number[] = [];
  private plan = new PlayPlan(0);
  private ticking = 0;

  constructor(private readonly events: FrameEvents) {
    this.cache = new FrameCache(
      fetchFrame,
      (key) => { if (key.mediaId === this.media?.id) events.onLoaded(key.frame); },
      (key, error) => { if (key.mediaId === this.media?.id) events.onError(error); },
    );
  }

  close(): void {
    cancelAnimationFrame(this.ticking);
    this.cache.clear();
  }

  open(media: Media | null): void {
    this.stop();
    this.media = media;
    this.timesS = [];
    if (media !== null && media.kind === "video") void this.fetchTimes(media);
  }

  picture(frame: number): ImageBitmap | null {
    const key = this.keyOf(frame);
    return key === null ? null : this.cache.get(key);
  }

  /** Have a frame and its neighbours ready. */
  want(frame: number, mode: keyof typeof AHEAD): void {
    const media = this.media;
    if (media === null) return;
    const wanted =
      mode === "playing"
        ? [frame, ...this.plan.ahead(frame + 1, AHEAD.playing, media.num_frames)]
        : framesAround(frame, media.num_frames, AHEAD[mode], BEHIND[mode]);
    this.cache.want(wanted.flatMap((one) => this.keyOf(one) ?? []));
  }

  play(frame: number): void {
    const media = this.media;
    if (media === null || this.timesS.length < 2) return;
    this.clock.start(performance.now(), this.timesS[frame]);
    this.plan = new PlayPlan(frame);
    let shown = frame;
    const tick = (now: number): void => {
      const next = this.clock.next(now, shown, this.timesS, (one) => this.isReady(one), this.plan);
      const isOver = this.plan.lastUpTo(media.num_frames - 1) <= next;
      if (next !== shown) this.events.onPlay(isOver ? media.num_frames - 1 : next, isOver);
      shown = next;
      if (!isOver) this.ticking = requestAnimationFrame(tick);
    };
    this.ticking = requestAnimationFrame(tick);
  }

  /** A frame was drawn: what playing plans to show follows from how many are. */
  noteDrawn(frame: number): void {
    this.plan.note(frame);
  }

  stop(): void {
    cancelAnimationFrame(this.ticking);
  }

  private isReady(frame: number): boolean {
    const key = this.keyOf(frame);
    return key !== null && this.cache.has(key);
  }

  private keyOf(frame: number): FrameKey | null {
    if (this.media === null) return null;
    const height = this.media.height > MOST_HEIGHT ? MOST_HEIGHT : null;
    return { mediaId: this.media.id, frame, height };
  }

  private async fetchTimes(media: Media): Promise<void> {
    try {
      const timesS = await loadTimes(media.id);
      if (this.media?.id !== media.id) return;
      this.timesS = timesS;
      this.events.onTimes(timesS);
    } catch (error) {
      this.events.onError(error);
    }
  }
}

async function fetchFrame(key: FrameKey, signal: AbortSignal): Promise<ImageBitmap> {
  const response = await send(frameAddress(key.mediaId, key.frame, key.height), { signal });
  return createImageBitmap(await response.blob());
}
