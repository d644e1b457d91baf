import { useEffect, useMemo, useRef, useState, type RefObject } from "react";
import type { Media } from "../model/document";
import { useSession, useStudio } from "../session/context";
import { Filmstrip } from "./Filmstrip";
import { Lane } from "./Lane";
import { percentOf, rangeWith, wholeRange, zoomRange, type Range } from "./range";
import { Transport } from "./Transport";

/** Playback, filmstrip, and a lane for every object; drawn again when the range moves, not with every frame. */
export function Timeline({ media }: { readonly media: Media }) {
  const session = useSession();
  const selectedId = useStudio((state) => state.selectedId);
  const [chosen, setRange] = useState(() => wholeRange(media.num_frames));
  const [width, setWidth] = useState(0);
  const tracks = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const start = useStudio((state) => rangeWith(chosen, state.frame, media.num_frames).start);
  const stop = useStudio((state) => rangeWith(chosen, state.frame, media.num_frames).stop);
  const range = useMemo(() => ({ start, stop }), [start, stop]);
  const isZoomed = range.stop - range.start < media.num_frames;

  useEffect(() => {
    if (tracks.current === null) return;
    const observer = new ResizeObserver(([entry]) => { setWidth(entry.contentRect.width); });
    observer.observe(tracks.current);
    return () => { observer.disconnect(); };
  }, []);

  const zoom = (factor: number): void => {
    setRange(zoomRange(range, factor, session.state.frame, media.num_frames));
  };
  useWheelZoom(area, zoom);
  return (
    <section className="timeline" aria-label="Timeline">
      <Transport media={media} isZoomed={isZoomed} onZoom={zoom} />
      <div className="tracks" ref={area}>
        <div className="tracks-head">
          <span className="lane-space" />
          <div className="tracks-width" ref={tracks}>
            <Filmstrip media={media} range={range} width={width} />
          </div>
        </div>
        <div className="lanes-scroll">
          <ul className="lanes">
            {media.objects.map((object) => (
              <Lane key={object.id} object={object} range={range} width={width} isSelected={object.id === selectedId} />
            ))}
          </ul>
          {media.objects.length === 0 ? <p className="lanes-hint">Every object you click gets a lane here.</p> : null}
        </div>
        <div className="playhead-area" aria-hidden="true">
          <Playhead range={range} />
        </div>
      </div>
    </section>
  );
}

/** Ctrl and the wheel, or two fingers on a touchpad; the page itself, which they would enlarge, stays as it is. */
function useWheelZoom(area: RefObject<HTMLElement | null>, zoom: (factor: number) => void): void {
  const latest = useRef(zoom);
  useEffect(() => { latest.current = zoom; });
  useEffect(() => {
    const ended = new AbortController();
    const turn = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      latest.current(Math.exp(-event.deltaY * 0.004));
    };
    area.current?.addEventListener("wheel", turn, { signal: ended.signal, passive: false });
    return () => { ended.abort(); };
  }, [area]);
}

const KNOB = 11;
const LINE = 4;
const BEYOND = 8;

function Playhead({ range }: { readonly range: Range }) {
  const frame = useStudio((state) => state.frame);
  const percent = percentOf(frame, range);
  // a background of this width with its middle at the frame; percents leave out the width and what lies beyond the lanes
  const place = (width: number): string =>
    `calc(${percent.toFixed(3)}% + ${(BEYOND - width / 2 - (percent / 100) * (2 * BEYOND - width)).toFixed(3)}px)`;
  return <div className="playhead" style={{ backgroundPositionX: `${place(KNOB)}, ${place(LINE)}` }} />;
}
