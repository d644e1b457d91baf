import { memo, useRef, type KeyboardEvent, type PointerEvent } from "react";
import { frameAddress, stripAddress } from "../api/requests";
import type { Media } from "../model/document";
import { timecode } from "../model/words";
import { useSession, useStudio } from "../session/context";
import { frameAt, type Range } from "./range";

interface FilmstripProps {
  readonly media: Media;
  readonly range: Range;
  readonly width: number;
}

const HEIGHT = 44;
const MOST = 40;

/** Frames side by side; pressing or dragging shows the frame under the pointer. */
export function Filmstrip({ media, range, width }: FilmstripProps) {
  const session = useSession();
  const frame = useStudio((state) => state.frame);
  const time = useStudio((state) => state.timesS[state.frame] ?? 0);
  const isHeld = useRef(false);
  const seek = (event: PointerEvent<HTMLDivElement>): void => {
    const { left, width: extent } = event.currentTarget.getBoundingClientRect();
    session.seek(frameAt((event.clientX - left) / extent, range));
  };
  const press = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = { ArrowUp: 1, ArrowDown: -1 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    session.seek(frame + steps[event.key]);
  };
  return (
    <div
      className="filmstrip"
      role="slider"
      tabIndex={0}
      aria-label="Place in the video"
      aria-valuemin={0}
      aria-valuemax={media.num_frames - 1}
      aria-valuenow={frame}
      aria-valuetext={`Frame ${String(frame)} of ${String(media.num_frames)}, ${timecode(time)}`}
      onKeyDown={press}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        isHeld.current = true;
        seek(event);
      }}
      onPointerMove={(event) => { if (isHeld.current) seek(event); }}
      onPointerUp={() => { isHeld.current = false; }}
      onPointerCancel={() => { isHeld.current = false; }}
    >
      <Strip media={media} range={range} width={width} />
    </div>
  );
}

const Strip = memo(function Strip({ media, range, width }: FilmstripProps) {
  if (width === 0) return null;
  const thumb = Math.max(24, (HEIGHT * media.width) / media.height);
  const length = range.stop - range.start;
  const count = Math.min(MOST, Math.max(1, Math.round(width / thumb)));
  if (length === media.num_frames) {
    return <img className="strip" src={stripAddress(media.id, Math.min(count, length), 2 * HEIGHT)} alt="" draggable={false} />;
  }
  const frames = Array.from({ length: count }, (_, place) =>
    Math.min(range.stop - 1, range.start + Math.floor(((2 * place + 1) * length) / (2 * count))),
  );
  return (
    <div className="strip">
      {frames.map((frame, place) => (
        <img key={place} src={frameAddress(media.id, frame, 2 * HEIGHT)} alt="" draggable={false} />
      ))}
    </div>
  );
});
