/** Masks and lanes of the medium that is open: loaded around the playhead, kept current by the stream. */
import { loadLanes, loadMasks, type MaskState } from "../api/requests";
import type { Size } from "../geometry/points";
import { encodeCounts } from "../masks/counts";
import type { MaskMessage } from "../masks/message";
import type { PaintedMask } from "../masks/paint";
import { areaOf, type Mask } from "../masks/runs";
import type { Media } from "../model/document";
import { Lanes, type Dropped } from "../model/lanes";
import { MaskStore, type StoredMask } from "../video/maskStore";
import { MaskWorker, type PaintedPart } from "../video/maskWorker";

export interface MaskEvents {
  /** Masks or lanes changed; what the stream brings is gathered for a while. */
  onChange: () => void;
  /** The stream brought masks, the newest of this frame; told as seldom as `onChange`. */
  onTracked: (frame: number) => void;
  onError: (error: unknown) => void;
}

/** What tracking finds is shown so often that showing takes a small share of the time, within these bounds. */
const STREAM_MS = { least: 120, most: 1000, share: 1 / 12 };

export class MaskDesk {
  readonly masks = new MaskStore();
  readonly lanes = new Lanes();
  /** The frame whose mask the stream brought last, of the medium that is open. */
  trackedFrame: number | null = null;
  private readonly worker: MaskWorker;
  private media: Media | null = null;
  private isTold = false;
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private toldMs = 0;
  private pauseMs = STREAM_MS.most / 2;

  constructor(private readonly events: MaskEvents) {
    this.worker = new MaskWorker((message) => { this.takeMessage(message); });
  }

  close(): void {
    clearTimeout(this.gathering);
    this.worker.close();
  }

  open(media: Media | null): void {
    this.media = media;
    this.trackedFrame = null;
    this.masks.clear();
    this.lanes.clear();
    this.tell();
    void this.refreshLanes();
  }

  /** Something changed that this page cannot work out by itself. */
  reload(frame: number): void {
    this.masks.invalidate();
    this.need(frame);
    void this.refreshLanes();
  }

  /** Have the masks around a frame ready. */
  need(frame: number): void {
    const media = this.media;
    if (media === null) return;
    const ahead = Math.min(media.num_frames - 1, frame + 30);
    for (const one of new Set([frame, ahead])) {
      const range = this.masks.missingWindow(one, media.num_frames);
      if (range !== null) void this.fetchWindow(media, range.start, range.stop);
    }
  }

  /** A message of the stream. */
  take(buffer: ArrayBuffer): void {
    this.worker.decode(buffer);
  }

  /** Have everything that the stream brought so far told now. */
  async settle(): Promise<void> {
    await this.worker.decodeCounts([]); // answered after the messages before it
    this.tellTracked();
  }

  /** The frame that was told last is there to be seen: learn how often this machine can do that beside tracking. */
  noteShown(): void {
    const wanted = (performance.now() - this.toldMs) / STREAM_MS.share;
    this.pauseMs = Math.min(STREAM_MS.most, Math.max(STREAM_MS.least, wanted));
  }

  /** The masks with which the server answered an edit. */
  async takeReplies(states: readonly MaskState[], size: Size): Promise<void> {
    const decoded = await this.worker.decodeCounts(states.map((one) => one.counts));
    states.forEach((one, place) => { this.keep(storedMask(one, decoded[place], size)); });
    this.events.onChange(); // somebody waits for these
  }

  /** Show a mask at once, before the server has it. */
  putPainted(objectId: number, frame: number, mask: Mask): void {
    const one = { objectId, frame, mask, score: 1, presence: 1, isPrompted: true, isBackward: false };
    this.put(one);
  }

  drop(objectId: number, dropped: Dropped): void {
    this.masks.remove(objectId, this.lanes.drop(objectId, dropped));
    this.tell();
  }

  removeObject(objectId: number): void {
    this.masks.removeObject(objectId);
    this.lanes.remove(objectId);
    this.tell();
  }

  paint(masks: readonly PaintedMask[], size: Size): Promise<PaintedPart | null> {
    return this.worker.paint(masks, size);
  }

  async decode(counts: readonly string[], size: Size): Promise<Mask[]> {
    const decoded = await this.worker.decodeCounts(counts);
    return decoded.map((runs) => ({ width: size.width, height: size.height, runs }));
  }

  private put(one: StoredMask): void {
    this.keep(one);
    this.tell();
  }

  private keep(one: StoredMask): void {
    this.masks.put(one);
    this.lanes.put({
      objectId: one.objectId,
      frame: one.frame,
      score: one.score,
      presence: one.presence,
      isEmpty: areaOf(one.mask) === 0,
      isPrompted: one.isPrompted,
      isBackward: one.isBackward,
    });
  }

  private takeMessage(message: MaskMessage): void {
    if (message.mediaId !== this.media?.id) return;
    this.keep(message);
    if (!message.isPrompted) this.trackedFrame = message.frame;
    this.gathering ??= setTimeout(() => { this.tellTracked(); }, Math.max(0, this.toldMs + this.pauseMs - performance.now()));
  }

  private tellTracked(): void {
    if (this.gathering === undefined) return;
    clearTimeout(this.gathering);
    this.gathering = undefined;
    this.toldMs = performance.now();
    this.events.onChange();
    if (this.trackedFrame !== null) this.events.onTracked(this.trackedFrame);
  }

  private async fetchWindow(media: Media, start: number, stop: number): Promise<void> {
    try {
      const found = await loadMasks(media.id, start, stop);
      const runs = await this.worker.decodeCounts(found.masks.map((one) => one.counts));
      if (this.media?.id !== media.id) return;
      this.masks.fill(start, stop, found.masks.map((one, place) => storedMask(one, runs[place], media)));
      this.tell();
    } catch (error) {
      this.masks.giveUp(start);
      this.events.onError(error);
    }
  }

  private async refreshLanes(): Promise<void> {
    const media = this.media;
    if (media === null) return;
    try {
      const found = await loadLanes(media.id);
      if (this.media?.id !== media.id) return;
      this.lanes.clear();
      for (const lane of found) {
        lane.frames.forEach((frame, place) => {
          this.lanes.put({
            objectId: lane.object_id,
            frame,
            score: lane.score[place],
            presence: lane.presence[place],
            isEmpty: lane.area[place] === 0,
            isPrompted: lane.is_prompted[place],
            isBackward: lane.is_backward[place],
          });
        });
      }
      this.tell();
    } catch (error) {
      this.events.onError(error);
    }
  }

  private tell(): void {
    if (this.isTold) return;
    this.isTold = true;
    requestAnimationFrame(() => {
      this.isTold = false;
      this.events.onChange();
    });
  }
}

function storedMask(state: MaskState, runs: Uint32Array, size: Size): StoredMask {
  return {
    objectId: state.object_id,
    frame: state.frame,
    mask: { width: size.width, height: size.height, runs },
    score: state.score,
    presence: state.presence,
    isPrompted: state.is_prompted,
    isBackward: state.is_backward,
  };
}

/** A mask as an edit says it. */
export function maskEdit(mask: Mask): { size: readonly [number, number]; counts: string } {
  return { size: [mask.height, mask.width], counts: encodeCounts(mask.runs) };
}
