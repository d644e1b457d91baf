/** Which frame is due, by the times at which the video shows its frames. */

/** The last frame whose time is not after a moment; times rise. */
export function frameAtTime(timesS: readonly number[], seconds: number): number {
  let low = 0;
  let high = timesS.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (timesS[middle] <= seconds + 1e-6) low = middle;
    else high = middle - 1;
  }
  return Math.max(0, low);
}

/** A clock that goes on with the picture: when a frame is late, time waits for it, so that no frame lies. */
export class PlayClock {
  private startedMs = 0;
  private startS = 0;

  start(nowMs: number, fromS: number): void {
    this.startedMs = nowMs;
    this.startS = fromS;
  }

  /** The next frame to show, or the same one while no planned one is due or the next is not there. */
  next(
    nowMs: number,
    frame: number,
    timesS: readonly number[],
    isReady: (frame: number) => boolean,
    plan: PlayPlan = new PlayPlan(frame),
  ): number {
    const due = plan.lastUpTo(frameAtTime(timesS, this.startS + (nowMs - this.startedMs) / 1000));
    if (due <= frame) return frame;
    for (let candidate = due; candidate > frame; candidate--) if (isReady(candidate)) return candidate;
    this.start(nowMs, timesS[frame]);
    return frame;
  }
}

const STRIDES = [1, 1.25, 1.5, 2, 3, 4, 6] as const;
const NOTED = 12;

/**
 * Which frames are fetched for playing: all of them, or, where a machine cannot draw so many, evenly spaced ones, a few
 * more than it draws. Fetching what is then left out would only take the processors from what is shown.
 */
export class PlayPlan {
  private place = 0;
  private numShown = 0;

  constructor(private anchor: number) {}

  /** Learn that a frame was drawn, and plan anew now and then from how many of the planned ones were. */
  note(frame: number): void {
    this.numShown++;
    const numPlanned = (frame - this.anchor) / STRIDES[this.place];
    if (numPlanned < NOTED) return;
    const share = this.numShown / numPlanned;
    const step = share < 0.4 ? 2 : share < 0.8 ? 1 : share > 0.96 ? -1 : 0;
    this.place = Math.min(STRIDES.length - 1, Math.max(0, this.place + step));
    this.anchor = frame;
    this.numShown = 0;
  }

  /** The last planned frame that is not after a frame. */
  lastUpTo(frame: number): number {
    const stride = STRIDES[this.place];
    const count = Math.floor((Math.max(0, frame - this.anchor) + 1 - 1e-9) / stride);
    return this.anchor + Math.floor(count * stride);
  }

  /** Planned frames from one on, so many and within the video. */
  ahead(frame: number, count: number, numFrames: number): number[] {
    const stride = STRIDES[this.place];
    const first = Math.ceil((frame - this.anchor) / stride);
    return Array.from({ length: count }, (_, more) => this.anchor + Math.floor((first + more) * stride)).filter(
      (one) => one >= frame && one < numFrames,
    );
  }
}
