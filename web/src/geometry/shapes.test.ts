import { expect, test } from "vitest";
import { boxBetween } from "./box";
import { imagePoint } from "./points";
import { drawStroke, fillPolygon } from "./shapes";

const size = { width: 20, height: 10 };
const sum = (bitmap: Uint8Array): number => bitmap.reduce((total, one) => total + one, 0);

test("a rectangle as a polygon has its area, and cutting it out leaves nothing", () => {
  const bitmap = new Uint8Array(200);
  const corners = [imagePoint(2, 1), imagePoint(12, 1), imagePoint(12, 6), imagePoint(2, 6)];
  fillPolygon(bitmap, size, corners, 1);
  expect(sum(bitmap)).toBe(50);
  expect(bitmap[1 * 20 + 2]).toBe(1);
  fillPolygon(bitmap, size, corners, 0);
  expect(sum(bitmap)).toBe(0);
});

test("a polygon may reach beyond the picture; two points are no polygon", () => {
  const bitmap = new Uint8Array(200);
  fillPolygon(bitmap, size, [imagePoint(-9, -9), imagePoint(40, -9), imagePoint(40, 40), imagePoint(-9, 40)], 1);
  expect(sum(bitmap)).toBe(200);
  const other = new Uint8Array(200);
  fillPolygon(other, size, [imagePoint(0, 0), imagePoint(9, 9)], 1);
  expect(sum(other)).toBe(0);
});

test("a stroke covers what lies within its radius", () => {
  const bitmap = new Uint8Array(200);
  drawStroke(bitmap, size, [imagePoint(5, 5), imagePoint(15, 5)], 2, 1);
  expect(bitmap[5 * 20 + 10]).toBe(1);
  expect(bitmap[8 * 20 + 10]).toBe(0);
  drawStroke(bitmap, size, [imagePoint(10, 5), imagePoint(10, 5)], 30, 0);
  expect(sum(bitmap)).toBe(0);
});

test("a box is drawn from any corner and ends at the edge", () => {
  expect(boxBetween(imagePoint(15, 8), imagePoint(-3, 2), size)).toEqual([0, 2, 15, 8]);
});
