/** Points, boxes, lines and cursors, in pixels of the screen so that they stay sharp at every zoom. */
import type { Box } from "../geometry/box";
import { imagePoint, type ImagePoint, type ScreenPoint, type Size } from "../geometry/points";
import { toScreen, type View } from "../geometry/view";
import type { Click } from "../model/document";

export const POINT_RADIUS = 9;
const ADD = "#1f9d55";
const TAKE = "#e5484d";

export function drawPoints(
  context: CanvasRenderingContext2D,
  view: View,
  clicks: readonly Click[],
  color: string,
): void {
  for (const [x, y, isPositive] of clicks) {
    drawPoint(context, toScreen(view, imagePoint(x, y)), isPositive, color);
  }
}

function drawPoint(context: CanvasRenderingContext2D, at: ScreenPoint, isPositive: boolean, color: string): void {
  context.save();
  context.shadowColor = "rgb(0 0 0 / 45%)";
  context.shadowBlur = 5;
  context.beginPath();
  context.arc(at.x, at.y, POINT_RADIUS, 0, 2 * Math.PI);
  context.fillStyle = "#fff";
  context.fill();
  context.restore();
  context.beginPath();
  context.arc(at.x, at.y, POINT_RADIUS - 2, 0, 2 * Math.PI);
  context.fillStyle = isPositive ? color : TAKE;
  context.fill();
  context.beginPath();
  context.moveTo(at.x - 3.5, at.y);
  context.lineTo(at.x + 3.5, at.y);
  if (isPositive) {
    context.moveTo(at.x, at.y - 3.5);
    context.lineTo(at.x, at.y + 3.5);
  }
  context.lineWidth = 2;
  context.lineCap = "round";
  context.strokeStyle = isPositive ? inkOn(color) : "#fff";
  context.stroke();
}

/** Black or white, whichever is easier to read on a colour. */
export function inkOn(color: string): "#000" | "#fff" {
  const value = Number.parseInt(color.slice(1), 16);
  const light = 0.299 * ((value >> 16) & 255) + 0.587 * ((value >> 8) & 255) + 0.114 * (value & 255);
  return light > 140 ? "#000" : "#fff";
}

export function drawBox(context: CanvasRenderingContext2D, view: View, box: Box, color: string): void {
  const from = toScreen(view, imagePoint(box[0], box[1]));
  const to = toScreen(view, imagePoint(box[2], box[3]));
  context.lineWidth = 4;
  context.strokeStyle = "rgb(0 0 0 / 45%)";
  context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
  context.lineWidth = 2;
  context.strokeStyle = color;
  context.strokeRect(from.x, from.y, to.x - from.x, to.y - from.y);
}

export function drawPath(
  context: CanvasRenderingContext2D,
  view: View,
  points: readonly ImagePoint[],
  style: { readonly isAdding: boolean; readonly width: number; readonly isFilled: boolean },
): void {
  if (points.length === 0) return;
  const color = style.isAdding ? ADD : TAKE;
  context.beginPath();
  points.forEach((point, place) => {
    const at = toScreen(view, point);
    if (place === 0) context.moveTo(at.x, at.y);
    context.lineTo(at.x, at.y);
  });
  context.lineJoin = context.lineCap = "round";
  if (style.isFilled) {
    context.closePath();
    context.fillStyle = `${color}40`;
    context.fill();
    context.setLineDash([6, 5]);
  }
  context.lineWidth = style.width;
  context.strokeStyle = style.isFilled ? color : `${color}99`;
  context.stroke();
  context.setLineDash([]);
}

export function drawBrush(
  context: CanvasRenderingContext2D,
  at: ScreenPoint,
  radius: number,
  isAdding: boolean,
): void {
  for (const [width, color] of [[3.5, "rgb(0 0 0 / 50%)"], [1.5, isAdding ? "#fff" : "#ff9a9d"]] as const) {
    context.beginPath();
    context.arc(at.x, at.y, Math.max(1, radius), 0, 2 * Math.PI);
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
}

/** The cross that the arrow keys move. */
export function drawCross(context: CanvasRenderingContext2D, at: ScreenPoint, stage: Size): void {
  for (const [width, color] of [[3, "rgb(0 0 0 / 50%)"], [1, "#fff"]] as const) {
    context.beginPath();
    context.moveTo(0, at.y);
    context.lineTo(stage.width, at.y);
    context.moveTo(at.x, 0);
    context.lineTo(at.x, stage.height);
    context.lineWidth = width;
    context.strokeStyle = color;
    context.stroke();
  }
}
