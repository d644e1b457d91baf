import { memo, useEffect, useRef, type CSSProperties, type MouseEvent } from "react";
import type { ObjectState } from "../model/document";
import type { Stretch } from "../model/lanes";
import { useSession, useStudio } from "../session/context";
import { frameAt, percentOf, type Range } from "./range";

interface LaneProps {
  readonly object: ObjectState;
  readonly range: Range;
  readonly width: number;
  readonly isSelected: boolean;
}

const HEIGHT = 20;

/** Where one object is visible, absent and prompted, and how sure that is. */
export const Lane = memo(function Lane({ object, range, width, isSelected }: LaneProps) {
  const session = useSession();
  const version = useStudio((state) => state.lanesVersion);
  const canvas = useRef<HTMLCanvasElement>(null);
  const lane = useRef<HTMLLIElement>(null);
  const ratio = window.devicePixelRatio || 1;
  useEffect(() => {
    if (canvas.current === null || width === 0) return;
    const stretches = session.desk.lanes.stretches(object.id, range.start, range.stop, width / 2);
    draw(canvas.current, stretches, { range, color: object.color, ratio, width });
  }, [session, version, object.id, object.color, range, ratio, width]);
  useEffect(() => {
    if (isSelected) lane.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const seek = (event: MouseEvent<HTMLElement>): void => {
    const { left, width: extent } = event.currentTarget.getBoundingClientRect();
    session.select(object.id);
    session.seek(frameAt((event.clientX - left) / extent, range));
  };
  const shown = object.prompts.filter(({ frame }) => frame >= range.start && frame < range.stop);
  return (
    <li ref={lane} className="lane" data-selected={isSelected} aria-label={object.name}>
      <button type="button" className="lane-name" onClick={() => { session.select(object.id); }} aria-pressed={isSelected}>
        <span className="dot" style={{ background: object.color }} />
        <span className="lane-text">{object.name}</span>
      </button>
      <div className="lane-track" onClick={seek}>
        <canvas
          ref={canvas}
          width={Math.max(1, Math.round(width * ratio))}
          height={HEIGHT * ratio}
          role="img"
          aria-label={`${object.name}: known on ${String(session.desk.lanes.numKnown(object.id))} frames`}
        />
        {shown.map(({ frame }) => (
          <button
            key={frame}
            type="button"
            className="prompt-dot"
            style={dotStyle(percentOf(frame, range), object.color)}
            aria-label={`${object.name}, prompted on frame ${String(frame)}`}
            onClick={(event) => {
              event.stopPropagation();
              session.select(object.id);
              session.seek(frame);
            }}
          />
        ))}
      </div>
    </li>
  );
});

/** Where a dot is; its share of the way keeps what a finger can hit within the lane. */
function dotStyle(percent: number, color: string): CSSProperties {
  const place = { "--along": String(percent / 100), left: `${String(percent)}%`, background: color };
  return place as CSSProperties;
}

interface Look {
  readonly range: Range;
  readonly color: string;
  readonly ratio: number;
  readonly width: number;
}

function draw(canvas: HTMLCanvasElement, stretches: readonly Stretch[], look: Look): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const { range, color, ratio, width } = look;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, HEIGHT);
  const scale = width / Math.max(1, range.stop - range.start);
  for (const one of stretches) {
    const left = Math.round((one.start - range.start) * scale);
    const extent = Math.max(1, Math.round((one.stop - range.start) * scale) - left);
    context.fillStyle = color;
    if (one.kind === "absent") {
      context.globalAlpha = 0.55;
      for (let x = left; x < left + extent; x += 6) context.fillRect(x, HEIGHT / 2 - 1, Math.min(3, left + extent - x), 2);
    } else {
      context.globalAlpha = one.kind === "prompted" ? 1 : 0.16 + 0.72 * one.confidence ** 2;
      context.fillRect(left, 4, extent, HEIGHT - 8);
    }
  }
  context.globalAlpha = 1;
}
