/** Pictures of frames, exact by index: the ones around the playhead are there before they are asked for. */

export interface FrameKey {
  readonly mediaId: string;
  readonly frame: number;
  readonly height: number | null;
}

const MOST_AT_ONCE = 4;

export class FrameCache {
  private readonly pictures = new Map<string, ImageBitmap>();
  private readonly running = new Map<string, AbortController>();
  private wanted: FrameKey[] = [];
  private first: string | null = null;
  private numBytes = 0;

  /**
   * @param load Fetches and decodes one frame.
   * @param onLoaded Called when a frame has come.
   * @param onFailed Called with the reason when one could not be had.
   * @param mostBytes Decoded pictures are kept up to so many bytes; the least recently shown go first.
   */
  constructor(
    private readonly load: (key: FrameKey, signal: AbortSignal) => Promise<ImageBitmap>,
    private readonly onLoaded: (key: FrameKey) => void,
    private readonly onFailed: (key: FrameKey, error: unknown) => void,
    private readonly mostBytes = 256 * 2 ** 20,
  ) {}

  get(key: FrameKey): ImageBitmap | null {
    const name = nameOf(key);
    const found = this.pictures.get(name);
    if (found === undefined) return null;
    this.pictures.delete(name);
    this.pictures.set(name, found);
    return found;
  }

  has(key: FrameKey): boolean {
    return this.pictures.has(nameOf(key));
  }

  /**
   * Say which frames are needed now, most urgent first; loading what is not among them is given up. The first one is
   * loaded alone: somebody waits for it, and its neighbours would only slow it down.
   */
  want(keys: readonly FrameKey[]): void {
    const names = new Set(keys.map(nameOf));
    this.first = keys.length > 0 ? nameOf(keys[0]) : null;
    for (const [name, controller] of this.running) if (!names.has(name)) controller.abort();
    this.wanted = keys.filter((key) => !this.has(key) && !this.running.has(nameOf(key)));
    this.fill();
  }

  clear(): void {
    this.wanted = [];
    for (const controller of this.running.values()) controller.abort();
    for (const picture of this.pictures.values()) picture.close();
    this.pictures.clear();
    this.numBytes = 0;
  }

  private fill(): void {
    while (this.running.size < MOST_AT_ONCE) {
      if (this.first !== null && this.running.has(this.first)) return;
      const key = this.wanted.shift();
      if (key === undefined) return;
      void this.fetchOne(key);
    }
  }

  private async fetchOne(key: FrameKey): Promise<void> {
    const name = nameOf(key);
    const controller = new AbortController();
    this.running.set(name, controller);
    try {
      const picture = await this.load(key, controller.signal);
      if (controller.signal.aborted) picture.close();
      else this.keep(name, picture);
      this.running.delete(name);
      if (!controller.signal.aborted) this.onLoaded(key);
    } catch (error) {
      this.running.delete(name);
      if (!controller.signal.aborted) this.onFailed(key, error);
    }
    this.fill();
  }

  private keep(name: string, picture: ImageBitmap): void {
    this.pictures.set(name, picture);
    this.numBytes += bytesOf(picture);
    for (const [oldest, old] of this.pictures) {
      if (this.numBytes <= this.mostBytes || oldest === name) return;
      this.pictures.delete(oldest);
      this.numBytes -= bytesOf(old);
      old.close();
    }
  }
}

function nameOf(key: FrameKey): string {
  return `${key.mediaId}/${String(key.frame)}/${String(key.height)}`;
}

function bytesOf(picture: ImageBitmap): number {
  return picture.width * picture.height * 4;
}

/** Frames to have ready: this one, then ahead in the direction of travel, then a few behind. */
export function framesAround(frame: number, numFrames: number, ahead: number, behind: number): number[] {
  const found = [frame];
  for (let step = 1; step <= Math.max(ahead, behind); step++) {
    if (step <= ahead && frame + step < numFrames) found.push(frame + step);
    if (step <= behind && frame - step >= 0) found.push(frame - step);
  }
  return found;
}
