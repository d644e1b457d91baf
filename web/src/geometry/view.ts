import { imagePoint, screenPoint, type ImagePoint, type ScreenPoint, type Size } from "./points";

/** How the picture lies on the stage: screen = image * scale + offset. */
export interface View {
  readonly scale: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

const MOST_SCALE = 40;
const KEPT_VISIBLE = 48;

export function toScreen(view: View, point: ImagePoint): ScreenPoint {
  return screenPoint(point.x * view.scale + view.offsetX, point.y * view.scale + view.offsetY);
}

export function toImage(view: View, point: ScreenPoint): ImagePoint {
  return imagePoint((point.x - view.offsetX) / view.scale, (point.y - view.offsetY) / view.scale);
}

/** The whole picture in the middle of the stage, with a margin. */
export function fitView(image: Size, stage: Size, margin = 0): View {
  const width = Math.max(1, stage.width - 2 * margin);
  const height = Math.max(1, stage.height - 2 * margin);
  const scale = Math.min(width / image.width, height / image.height);
  return {
    scale,
    offsetX: (stage.width - image.width * scale) / 2,
    offsetY: (stage.height - image.height * scale) / 2,
  };
}

/** Zoom so that what lies under a point of the screen stays there. */
export function zoomAt(view: View, point: ScreenPoint, factor: number, image: Size, stage: Size): View {
  const least = fitView(image, stage).scale * 0.5;
  const scale = Math.min(Math.max(view.scale * factor, least), MOST_SCALE);
  const held = toImage(view, point);
  return keepVisible(
    { scale, offsetX: point.x - held.x * scale, offsetY: point.y - held.y * scale },
    image,
    stage,
  );
}

export function panBy(view: View, dx: number, dy: number, image: Size, stage: Size): View {
  return keepVisible({ ...view, offsetX: view.offsetX + dx, offsetY: view.offsetY + dy }, image, stage);
}

/** The picture never leaves the stage for good. */
function keepVisible(view: View, image: Size, stage: Size): View {
  const clamp = (offset: number, extent: number, room: number): number =>
    Math.min(Math.max(offset, KEPT_VISIBLE - extent), room - KEPT_VISIBLE);
  return {
    scale: view.scale,
    offsetX: clamp(view.offsetX, image.width * view.scale, stage.width),
    offsetY: clamp(view.offsetY, image.height * view.scale, stage.height),
  };
}
