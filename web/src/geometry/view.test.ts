import { expect, test } from "vitest";
import { clampToImage, imagePoint, screenPoint } from "./points";
import { fitView, panBy, toImage, toScreen, zoomAt } from "./view";

const image = { width: 640, height: 360 };
const stage = { width: 1000, height: 700 };

test("the whole picture fits and lies in the middle", () => {
  const view = fitView(image, stage, 10);
  const topLeft = toScreen(view, imagePoint(0, 0));
  const bottomRight = toScreen(view, imagePoint(640, 360));
  expect(topLeft.x).toBeCloseTo(10);
  expect(1000 - bottomRight.x).toBeCloseTo(topLeft.x);
  expect(700 - bottomRight.y).toBeCloseTo(topLeft.y);
});

test("zooming holds what lies under the pointer", () => {
  const at = screenPoint(321, 400);
  const before = fitView(image, stage);
  const held = toImage(before, at);
  const after = toScreen(zoomAt(before, at, 2.5, image, stage), held);
  expect([after.x, after.y]).toEqual([expect.closeTo(321), expect.closeTo(400)]);
});

test("the picture cannot be lost", () => {
  const view = panBy(fitView(image, stage), 1e6, -1e6, image, stage);
  const corner = toScreen(view, imagePoint(0, 360));
  expect(corner.x).toBeLessThan(stage.width);
  expect(corner.y).toBeGreaterThan(0);
});

test("a point outside becomes the nearest one that the server takes", () => {
  const point = clampToImage(imagePoint(-5, 400), image);
  expect(point.x).toBe(0);
  expect(point.y).toBeLessThan(360);
});
