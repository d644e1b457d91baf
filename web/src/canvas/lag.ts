/** Whether the picture is behind what it should show: long enough for a person to wonder. */

const WONDER_MS = 350;

export class Lag {
  private isBehind = false;
  private freshMs = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onChange: (isBehind: boolean) => void) {}

  close(): void {
    clearTimeout(this.timer);
  }

  /** What is shown is what is wanted, or not yet; `isFresh` when it is another picture than at the last call. */
  note(isCurrent: boolean, isFresh: boolean, nowMs: number): void {
    if (isCurrent) {
      clearTimeout(this.timer);
      this.timer = undefined;
      this.say(false);
      return;
    }
    if (isFresh) {
      // pictures that come one after the other are a slow video, not one that stands
      if (nowMs - this.freshMs < WONDER_MS) this.say(false);
      this.freshMs = nowMs;
      clearTimeout(this.timer);
      this.timer = undefined;
    }
    this.timer ??= setTimeout(() => { this.say(true); }, WONDER_MS);
  }

  private say(isBehind: boolean): void {
    if (isBehind === this.isBehind) return;
    this.isBehind = isBehind;
    this.onChange(isBehind);
  }
}
