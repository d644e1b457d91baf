import { LoaderCircle, Maximize, ZoomIn, ZoomOut } from "lucide-react";
import { useEffect, useRef, type KeyboardEvent } from "react";
import { imagePoint } from "../geometry/points";
import { candidateAt, toggleCandidate } from "../session/candidates";
import { addClick } from "../session/drawing";
import { useSession, useStudio } from "../session/context";
import type { StudioSession } from "../session/studioSession";
import { IconButton } from "../ui/Button";
import { Gestures } from "./gestures";
import { Scene } from "./scene";

const ZOOM = 1.35;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** The picture, large. */
export function Stage() {
  const session = useSession();
  const tool = useStudio((state) => state.tool);
  const isChoosing = useStudio((state) => state.candidates !== null);
  const isBusy = useStudio((state) => state.isBusy || state.candidates?.status === "searching");
  const element = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLCanvasElement>(null);
  const above = useRef<HTMLCanvasElement>(null);
  const scene = useRef<Scene | null>(null);

  useEffect(() => {
    if (element.current === null || below.current === null || above.current === null) return;
    const root = element.current;
    const made = new Scene(session, below.current, above.current);
    const gestures = new Gestures(session, made, root);
    const observer = new ResizeObserver(([entry]) => {
      made.resize(entry.contentRect.width, entry.contentRect.height);
    });
    observer.observe(root);
    scene.current = made;
    return () => {
      observer.disconnect();
      gestures.close();
      made.close();
    };
  }, [session]);

  return (
    <div className="stage-frame">
      <div
        ref={element}
        className="stage"
        data-tool={isChoosing ? "choose" : tool}
        role="application"
        aria-label="Picture. Enter shows a cross; the arrow keys move it, Enter clicks there, Shift and Enter takes away."
        tabIndex={0}
        onKeyDown={(event) => { if (moveCross(session, event)) event.stopPropagation(); }}
      >
        <canvas ref={below} aria-hidden="true" data-testid="picture" />
        <canvas ref={above} aria-hidden="true" />
      </div>
      <div className={isBusy ? "stage-busy is-on" : "stage-busy"} aria-hidden="true" />
      <LagMark />
      <div className="zoom-buttons">
        <IconButton label="Zoom out" tip="top" onClick={() => scene.current?.zoom(1 / ZOOM)}>
          <ZoomOut size={17} />
        </IconButton>
        <IconButton label="Zoom in" tip="top" onClick={() => scene.current?.zoom(ZOOM)}>
          <ZoomIn size={17} />
        </IconButton>
        <IconButton label="Fit the picture" tip="top" onClick={() => scene.current?.fit()}>
          <Maximize size={17} />
        </IconButton>
      </div>
    </div>
  );
}

/** Says that the picture is behind, and why. */
function LagMark() {
  const isBehind = useStudio((state) => state.isBehind);
  const hasEffects = useStudio((state) => state.panel === "effects");
  if (!isBehind) return null;
  return (
    <div className="stage-lag" aria-hidden="true" data-testid="lag">
      <LoaderCircle size={15} className="spin" />
      {hasEffects ? "Drawing the effect" : "Fetching the frame"}
    </div>
  );
}

/** The cross for those who do not use a pointer; true when the key was for it. */
function moveCross(session: StudioSession, event: KeyboardEvent): boolean {
  const { media, state } = session;
  if (media === null || event.ctrlKey || event.metaKey) return false;
  const { cursor } = state;
  if (event.key === "Enter" && state.candidates?.chosen.length !== undefined && event.shiftKey) return false;
  if (event.key === "Enter") {
    event.preventDefault();
    if (cursor === null) session.store.set({ cursor: [media.width / 2, media.height / 2] });
    else pressCross(session, imagePoint(...cursor), event.shiftKey);
    return true;
  }
  if (cursor === null) return false;
  if (event.key === "Escape") {
    session.store.set({ cursor: null });
    return true;
  }
  if (!(event.key in ARROWS)) return false;
  event.preventDefault();
  const [dx, dy] = ARROWS[event.key];
  const step = Math.max(1, Math.round(media.width / 100)) * (event.shiftKey ? 5 : 1);
  const clamp = (value: number, most: number): number => Math.min(Math.max(0, value), most - 1);
  session.store.set({ cursor: [clamp(cursor[0] + dx * step, media.width), clamp(cursor[1] + dy * step, media.height)] });
  return true;
}

function pressCross(session: StudioSession, point: ReturnType<typeof imagePoint>, isOther: boolean): void {
  if (session.state.candidates === null) {
    addClick(session, point, session.state.isAdding !== isOther);
    return;
  }
  const place = candidateAt(session, point);
  if (place !== null) toggleCandidate(session, place);
}
