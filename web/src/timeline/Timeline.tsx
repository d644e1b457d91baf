import { useEffect, useMemo, useRef, useState } from "react";
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
  return (
    <section className="timeline" aria-label="Timeline">
      <Transport media={media} isZoomed={isZoomed} onZoom={zoom} />
      <div
        className="tracks"
        onWheel={(event) => {
          if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.004));
        }}
      >
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
          <Playhead range={range} width={width} />
        </div>
      </div>
    </section>
  );
}

/** Moved as a layer of its own: a frame that plays paints nothing of the timeline anew. */
function Playhead({ range, width }: { readonly range: Range; readonly width: number }) {
  const frame = useStudio((state) => state.frame);
  const x = (percentOf(frame, range) * width) / 100;
  return <div className="playhead" style={{ left: 0, transform: `translateX(${x.toFixed(2)}px)`, willChange: "transform" }} />;
}
