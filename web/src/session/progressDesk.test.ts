import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Job } from "../model/document";
import { ProgressDesk } from "./progressDesk";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

const job = (id: string, numDone: number): Job =>
  ({ id, project_id: "p", media_id: "m", kind: "track", format: "", status: "running", num_done: numDone, num_total: 9, seconds_left: 1, message: "" });

test("only the newest of each tracking is shown, when there is more to draw", () => {
  const shown: (readonly Job[])[] = [];
  const desk = new ProgressDesk((jobs) => shown.push(jobs));
  expect(desk.takes(job("a", 1), job("a", 0))).toBe(true);
  desk.takes(job("b", 4), job("b", 0));
  desk.takes(job("a", 2), job("a", 0));
  desk.show();
  desk.show();
  expect(shown.map((jobs) => jobs.map((one) => [one.id, one.num_done]))).toEqual([[["a", 2], ["b", 4]]]);
  vi.runAllTimers();
  expect(shown).toHaveLength(1);
});

test("where nothing else is drawn it is shown by itself, and never after something newer is known", () => {
  const shown: (readonly Job[])[] = [];
  const desk = new ProgressDesk((jobs) => shown.push(jobs));
  desk.takes(job("a", 1), job("a", 0));
  desk.takes(job("b", 1), job("b", 0));
  expect(desk.takes({ ...job("a", 9), status: "done" }, job("a", 0))).toBe(false);
  vi.runAllTimers();
  expect(shown.map((jobs) => jobs.map((one) => one.id))).toEqual([["b"]]);
  desk.takes(job("a", 2), job("a", 0));
  desk.close();
  vi.runAllTimers();
  expect(shown).toHaveLength(1);
});

test("the first news of a tracking, and news of other work, are shown at once", () => {
  const desk = new ProgressDesk(() => { throw new Error("nothing was kept"); });
  expect(desk.takes(job("a", 1), undefined)).toBe(false);
  expect(desk.takes(job("a", 1), { ...job("a", 0), status: "waiting" })).toBe(false);
  expect(desk.takes({ ...job("a", 1), kind: "overlay" }, { ...job("a", 0), kind: "overlay" })).toBe(false);
  vi.runAllTimers();
});
