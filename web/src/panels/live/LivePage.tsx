import { ArrowLeft, Trash2, VideoOff } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import { paletteColor } from "../../model/document";
import { LiveView, type LiveStatus } from "../../session/liveView";
import { Button, IconButton } from "../../ui/Button";

type Share = readonly [number, number];
const STEP = 0.02;
const ARROWS: Readonly<Record<string, Share>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
};

/** The camera: click what is to be followed; nothing is stored. */
export function LivePage({ onLeave }: { readonly onLeave: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<LiveView | null>(null);
  const [status, setStatus] = useState<LiveStatus>({ kind: "starting", objects: [], perSecond: 0, message: "" });
  const [cross, setCross] = useState<Share | null>(null);
  useEffect(() => {
    if (canvas.current === null) return;
    const made = new LiveView(canvas.current, setStatus);
    view.current = made;
    void made.start();
    return () => { made.close(); };
  }, []);
  const press = (event: PointerEvent<HTMLElement>): void => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    setCross(null);
    view.current?.click((event.clientX - left) / width, (event.clientY - top) / height, event.button !== 2 && !event.altKey);
  };
  const pressKey = (event: KeyboardEvent): void => {
    const isArrow = event.key in ARROWS;
    if (event.key !== "Enter" && event.key !== "Escape" && !isArrow) return;
    event.preventDefault();
    if (event.key === "Escape") setCross(null);
    else if (cross === null) setCross([0.5, 0.5]);
    else if (isArrow) setCross(moved(cross, ARROWS[event.key], event.shiftKey ? 5 : 1));
    else view.current?.click(...cross, !event.shiftKey);
  };
  return (
    <div className="live">
      <header className="top-bar">
        <IconButton label="Back" tip="right" onClick={onLeave}>
          <ArrowLeft size={18} />
        </IconButton>
        <h1>Live camera</h1>
        <div className="top-bar-end">
          <span className="live-rate" role="status">
            {status.kind === "running" && status.objects.length > 0 ? `${status.perSecond.toFixed(1)} masks per second` : ""}
          </span>
        </div>
      </header>
      <main className="live-main">
        <div
          className="live-picture"
          data-on={status.kind === "running"}
          role="application"
          aria-label="Camera picture. Click an object to follow it, or press Enter for a cross that the arrow keys move: Enter clicks there, Shift and Enter takes away."
          tabIndex={0}
          onPointerDown={press}
          onContextMenu={(event) => { event.preventDefault(); }}
          onKeyDown={pressKey}
        >
          <canvas ref={canvas} aria-hidden="true" />
          {cross === null ? null : <span className="live-cross" style={{ left: `${String(100 * cross[0])}%`, top: `${String(100 * cross[1])}%` }} />}
        </div>
        {status.kind === "failed" ? (
          <div className="live-problem" role="alert">
            <VideoOff size={36} aria-hidden="true" />
            <h2>No picture from the camera</h2>
            <p>{status.message}</p>
            <Button look="primary" onClick={() => void view.current?.start()}>Try again</Button>
          </div>
        ) : null}
        {status.kind === "running" && status.message !== "" ? (
          <p className="live-hint" role="alert">{status.message}</p>
        ) : status.kind === "running" && status.objects.length === 0 ? (
          <p className="live-hint">Click something to follow it. Nothing is recorded.</p>
        ) : null}
      </main>
      <section aria-label="What is followed">
        <ul className="live-objects" aria-label="Objects">
          {status.objects.map((id) => (
            <li key={id} data-selected={status.selectedId === id}>
              <button type="button" className="live-object" aria-pressed={status.selectedId === id} onClick={() => view.current?.select(id)}>
                <span className="dot" style={{ background: paletteColor(id) }} />
                Object {id}
              </button>
              <IconButton label={`Stop following object ${String(id)}`} tip="top" onClick={() => view.current?.remove(id)}>
                <Trash2 size={15} />
              </IconButton>
            </li>
          ))}
          {status.objects.length > 0 ? (
            <li>
              <Button look="quiet" onClick={() => view.current?.select(null)}>New object</Button>
            </li>
          ) : null}
        </ul>
      </section>
    </div>
  );
}

function moved([x, y]: Share, [dx, dy]: Share, factor: number): Share {
  const clamp = (value: number): number => Math.min(Math.max(value, 0), 0.999);
  return [clamp(x + factor * dx), clamp(y + factor * dy)];
}
