import { useEffect, useRef } from "react";
import { frameAddress } from "../api/requests";
import { boxOf, contains, type Mask } from "../masks/runs";
import type { Media, ObjectState } from "../model/document";
import { useSession, useStudio } from "../session/context";

const SIDE = 44;
const PICTURE_HEIGHT = 360;

/** The object cut out of the frame on which it was first shown. */
export function ObjectThumb({ media, object }: { readonly media: Media; readonly object: ObjectState }) {
  const { desk } = useSession();
  useStudio((state) => state.masksVersion);
  const frame = object.prompts[0]?.frame ?? null;
  const mask = frame === null ? null : (desk.masks.find(object.id, frame)?.mask ?? null);
  return <CutOut media={media} frame={frame} mask={mask} color={object.color} />;
}

interface CutOutProps {
  readonly media: Media;
  readonly frame: number | null;
  readonly mask: Mask | null;
  readonly color: string;
}

/** What a mask leaves of a frame, small; the colour alone while there is none. */
export function CutOut({ media, frame, mask, color }: CutOutProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const side = Math.round(SIDE * (window.devicePixelRatio || 1));
  useEffect(() => {
    if (mask === null || frame === null) return;
    let isCurrent = true;
    const picture = new Image();
    picture.onload = () => {
      if (isCurrent && canvas.current !== null) drawThumb(canvas.current, picture, mask);
    };
    picture.src = frameAddress(media.id, frame, Math.min(PICTURE_HEIGHT, media.height));
    return () => { isCurrent = false; };
  }, [media.id, media.height, frame, mask]);
  return (
    <span className="thumb" style={{ borderColor: color }}>
      {mask === null ? <span className="thumb-empty" style={{ background: color }} /> : <canvas ref={canvas} width={side} height={side} aria-hidden="true" />}
    </span>
  );
}

function drawThumb(canvas: HTMLCanvasElement, picture: HTMLImageElement, mask: Mask): void {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const box = boxOf(mask);
  if (context === null || box === null) return;
  const side = canvas.width;
  const extent = 1.25 * Math.max(box[2] - box[0], box[3] - box[1], 16);
  const left = (box[0] + box[2] - extent) / 2;
  const top = (box[1] + box[3] - extent) / 2;
  const scale = picture.naturalWidth / mask.width;
  context.clearRect(0, 0, side, side);
  context.drawImage(picture, left * scale, top * scale, extent * scale, extent * scale, 0, 0, side, side);
  const pixels = context.getImageData(0, 0, side, side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const isOn = contains(mask, left + ((x + 0.5) * extent) / side, top + ((y + 0.5) * extent) / side);
      if (!isOn) pixels.data[4 * (y * side + x) + 3] *= 0.22;
    }
  }
  context.putImageData(pixels, 0, 0);
}
