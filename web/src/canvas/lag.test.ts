import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Lag } from "./lag";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

function watched(): { lag: Lag; said: boolean[] } {
  const said: boolean[] = [];
  return { lag: new Lag((isBehind) => { said.push(isBehind); }), said };
}

test("a picture that comes soon is no lag", () => {
  const { lag, said } = watched();
  lag.note(false, false, 0);
  vi.advanceTimersByTime(200);
  lag.note(true, true, 200);
  vi.advanceTimersByTime(1000);
  expect(said).toEqual([]);
});

test("a picture that stands is said to be behind until the wanted one is there", () => {
  const { lag, said } = watched();
  lag.note(false, false, 0);
  vi.advanceTimersByTime(400);
  expect(said).toEqual([true]);
  lag.note(true, true, 500);
  expect(said).toEqual([true, false]);
});

test("a video that plays slowly is behind only while its pictures take long", () => {
  const { lag, said } = watched();
  for (let ms = 0; ms < 2000; ms += 100) {
    lag.note(false, true, ms);
    vi.advanceTimersByTime(100);
  }
  expect(said).toEqual([]);
  for (let ms = 2000; ms < 4000; ms += 500) {
    lag.note(false, true, ms);
    vi.advanceTimersByTime(500);
  }
  expect(said).toEqual([true]);
  for (let ms = 4000; ms < 4500; ms += 100) {
    lag.note(false, true, ms);
    vi.advanceTimersByTime(100);
  }
  expect(said).toEqual([true, false]);
});

test("nothing is said after the end", () => {
  const { lag, said } = watched();
  lag.note(false, false, 0);
  lag.close();
  vi.advanceTimersByTime(1000);
  expect(said).toEqual([]);
});
