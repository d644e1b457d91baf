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

  /** The next frame to show, or the same one while it is not yet due or the next is not there. */
  next(nowMs: number, frame: number, timesS: readonly number[], isReady: (frame: number) => boolean): number {
    const due = frameAtTime(timesS, this.startS + (nowMs - this.startedMs) / 1000);
    if (due <= frame) return frame;
    for (let candidate = due; candidate > frame; candidate--) if (isReady(candidate)) return candidate;
    this.start(nowMs, timesS[frame]);
    return frame;
  }
}
