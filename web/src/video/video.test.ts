import { expect, test, vi } from "vitest";
import { emptyMask } from "../masks/runs";
import { FrameCache, framesAround, type FrameKey } from "./frameCache";
import { MaskStore, WINDOW } from "./maskStore";
import { frameAtTime, PlayClock, PlayPlan } from "./playback";

const key = (frame: number): FrameKey => ({ mediaId: "a", frame, height: null });
const picture = (): ImageBitmap => ({ width: 10, height: 10, close: vi.fn() }) as unknown as ImageBitmap;

test("frames around the playhead come nearest first", () => {
  expect(framesAround(5, 8, 3, 1)).toEqual([5, 6, 4, 7]);
  expect(framesAround(0, 1, 3, 3)).toEqual([0]);
});

test("the cache loads what is wanted, gives up what is not, and keeps within its bytes", async () => {
  const loaded: number[] = [];
  const cache = new FrameCache(() => Promise.resolve(picture()), (one) => loaded.push(one.frame), () => undefined, 1000);
  cache.want([0, 1, 2, 3, 4].map(key));
  await vi.waitFor(() => { expect(loaded).toEqual([0, 1, 2, 3, 4]); });
  expect([0, 1, 2, 3, 4].filter((frame) => cache.has(key(frame)))).toEqual([3, 4]);
});

test("the frame that somebody waits for is loaded alone, its neighbours after it", async () => {
  const asked: number[] = [];
  const answers: (() => void)[] = [];
  const load = (one: FrameKey): Promise<ImageBitmap> => {
    asked.push(one.frame);
    return new Promise((resolve) => { answers.push(() => { resolve(picture()); }); });
  };
  const cache = new FrameCache(load, () => undefined, () => undefined);
  cache.want([7, 8, 6].map(key));
  expect(asked).toEqual([7]);
  answers[0]();
  await vi.waitFor(() => { expect(asked).toEqual([7, 8, 6]); });
});

test("a frame that is not wanted any more is aborted and not reported", async () => {
  const failed = vi.fn();
  const load = (_key: FrameKey, signal: AbortSignal): Promise<ImageBitmap> =>
    new Promise((_, reject) => { signal.addEventListener("abort", () => { reject(new Error("aborted")); }); });
  const cache = new FrameCache(load, () => undefined, failed);
  cache.want([key(1)]);
  cache.want([]);
  await Promise.resolve();
  expect(failed).not.toHaveBeenCalled();
});

test("the frame of a moment is the last one that has begun", () => {
  const times = [0, 0.1, 0.3, 0.4];
  expect([-1, 0, 0.09, 0.1, 0.29, 0.3, 9].map((moment) => frameAtTime(times, moment))).toEqual([0, 0, 0, 1, 1, 2, 3]);
});

test("playing keeps to the clock, and waits for frames that are not there", () => {
  const times = [0, 0.1, 0.2, 0.3];
  const clock = new PlayClock();
  clock.start(1000, 0);
  expect(clock.next(1050, 0, times, () => true)).toBe(0);
  expect(clock.next(1210, 0, times, () => true)).toBe(2);
  expect(clock.next(1310, 2, times, (frame) => frame < 3)).toBe(2);
  expect(clock.next(1350, 2, times, () => true)).toBe(2);
  expect(clock.next(1420, 2, times, () => true)).toBe(3);
});

/** Shows every n-th of the planned frames so often, and gives the last one. */
function showPlanned(plan: PlayPlan, start: number, every: number, times: number): number {
  let shown = start;
  for (let turn = 0; turn < times; turn++) {
    shown = plan.ahead(shown + 1, every, 100_000)[every - 1];
    expect(plan.lastUpTo(shown)).toBe(shown);
    plan.note(shown);
  }
  return shown;
}

test("all frames are planned while all are shown, fewer while many are left out, and all again", () => {
  const plan = new PlayPlan(5);
  expect(plan.ahead(6, 3, 8)).toEqual([6, 7]);
  expect(plan.lastUpTo(7)).toBe(7);
  let shown = showPlanned(plan, 5, 2, 60);
  const gaps = (from: number): number[] => plan.ahead(from, 13, 100_000).map((one, at, all) => one - (all[at - 1] ?? one));
  expect(gaps(shown).slice(1)).toEqual(Array.from({ length: 12 }, () => 6));
  expect(plan.lastUpTo(plan.ahead(shown + 1, 1, 100_000)[0])).toBe(plan.ahead(shown + 1, 1, 100_000)[0]);
  shown = showPlanned(plan, shown, 1, 120);
  expect(Math.max(...gaps(shown))).toBe(1);
});

test("a frame that is not planned is not waited for", () => {
  const plan = new PlayPlan(0);
  const shown = showPlanned(plan, 0, 2, 60);
  const times = Array.from({ length: shown + 20 }, (_, at) => at / 10);
  const next = plan.ahead(shown + 1, 1, 100_000)[0];
  expect(next).toBe(shown + 6);
  const clock = new PlayClock();
  clock.start(0, times[shown]);
  expect(clock.next(520, shown, times, () => false, plan)).toBe(shown);
  expect(clock.next(620, shown, times, (one) => one === next, plan)).toBe(next);
});

test("masks come in windows, once each, and a window replaces what was there", () => {
  const store = new MaskStore();
  const mask = emptyMask({ width: 2, height: 2 });
  const one = (frame: number) => ({ objectId: 1, frame, mask, score: 1, presence: 1, isPrompted: false, isBackward: false });
  expect(store.missingWindow(WINDOW + 5, 1000)).toEqual({ start: WINDOW, stop: 2 * WINDOW });
  expect(store.missingWindow(WINDOW + 6, 1000)).toBeNull();
  store.put(one(WINDOW + 1));
  store.fill(WINDOW, 2 * WINDOW, [one(WINDOW + 2)]);
  expect(store.find(1, WINDOW + 1)).toBeNull();
  expect(store.at(WINDOW + 2)).toHaveLength(1);
  store.invalidate();
  expect(store.at(WINDOW + 2)).toHaveLength(1);
  expect(store.missingWindow(WINDOW, 1000)).not.toBeNull();
  store.giveUp(WINDOW);
  expect(store.missingWindow(WINDOW, WINDOW + 3)).toEqual({ start: WINDOW, stop: WINDOW + 3 });
});
