/** How high effects are drawn: in full at rest, and while frames change as high as the machine keeps up with. */

const MOST = 720;
const LEAST = 160;
const FIRST = 300;
const TARGET_MS = 24;

export class PreviewHeight {
  private moving = FIRST;

  /** Height in pixels for a picture of this height. */
  of(height: number, isMoving: boolean): number {
    return Math.min(height, isMoving ? Math.round(this.moving) : MOST);
  }

  /** Learn from how long a frame took while others waited; the work grows with the square of the height. */
  learn(tookMs: number): void {
    const wanted = this.moving * Math.sqrt(TARGET_MS / Math.max(1, tookMs));
    const step = Math.min(1.1, Math.max(0.7, wanted / this.moving));
    this.moving = Math.min(MOST, Math.max(LEAST, this.moving * step));
  }
}
