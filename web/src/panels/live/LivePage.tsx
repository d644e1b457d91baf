import { ArrowLeft, Trash2, VideoOff } from "lucide-react";
import { useEffect, useRef, useState, type PointerEvent } from "react";
import { paletteColor } from "../../model/document";
import { LiveView, type LiveStatus } from "../../session/liveView";
import { Button, IconButton } from "../../ui/Button";

/** The camera: click what is to be followed; nothing is stored. */
export function LivePage({ onLeave }: { readonly onLeave: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const view = useRef<LiveView | null>(null);
  const [status, setStatus] = useState<LiveStatus>({ kind: "starting", objects: [], perSecond: 0, message: "" });
  useEffect(() => {
    if (canvas.current === null) return;
    const made = new LiveView(canvas.current, setStatus);
    view.current = made;
    void made.start();
    return () => { made.close(); };
  }, []);
  const press = (event: PointerEvent<HTMLCanvasElement>): void => {
    const { left, top, width, height } = event.currentTarget.getBoundingClientRect();
    view.current?.click((event.clientX - left) / width, (event.clientY - top) / height, event.button !== 2 && !event.altKey);
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
            {status.kind === "running" ? `${status.perSecond.toFixed(1)} ${status.objects.length === 0 ? "pictures" : "masks"} per second` : ""}
          </span>
        </div>
      </header>
      <main className="live-main">
        <canvas
          ref={canvas}
          className="live-canvas"
          data-on={status.kind === "running"}
          aria-label="Camera picture. Click an object to follow it."
          onPointerDown={press}
          onContextMenu={(event) => { event.preventDefault(); }}
        />
        {status.kind === "failed" ? (
          <div className="live-problem" role="alert">
            <VideoOff size={36} aria-hidden="true" />
            <h2>No picture from the camera</h2>
            <p>{status.message}</p>
            <Button look="primary" onClick={() => void view.current?.start()}>Try again</Button>
          </div>
        ) : null}
        {status.kind === "running" && status.objects.length === 0 ? (
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
