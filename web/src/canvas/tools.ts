/** What each tool does with a press that has begun on the picture. */
import { boxArea, boxBetween } from "../geometry/box";
import { distance, imagePoint, isInside, type ImagePoint } from "../geometry/points";
import type { Tool } from "../model/state";
import { candidateAt, toggleCandidate } from "../session/candidates";
import { addClick, moveClick, objectAt, paintPolygon, paintStroke, removeClick, setBox } from "../session/drawing";
import type { StudioSession } from "../session/studioSession";
import { drawBox, drawPath, drawPoints, POINT_RADIUS } from "./marks";
import type { Drag, Scene } from "./scene";

export interface Press {
  readonly at: ImagePoint;
  /** The other sign than the one that is set: right button, or the Alt key. */
  readonly isOther: boolean;
  readonly isTouch: boolean;
}

const STILL = 6;
const LEAST_BOX = 12;
const FINGER = 10;

type Begin = (session: StudioSession, scene: Scene, press: Press) => Drag | null;

const click: Begin = (session, scene, press) => {
  const held = pointUnder(session, scene, press);
  if (held !== null) return holdPoint(session, scene, held);
  const start = scene.toScreen(press.at.x, press.at.y);
  let last = start;
  let hasMoved = false;
  return {
    move: (point) => {
      const at = scene.toScreen(point.x, point.y);
      hasMoved ||= distance(start, at) > STILL + (press.isTouch ? FINGER : 0);
      if (hasMoved && press.isTouch) {
        scene.pan(at.x - last.x, at.y - last.y);
      }
      last = at;
    },
    end: () => {
      if (hasMoved || session.media === null || !isInside(press.at, session.media)) return;
      addClick(session, press.at, session.state.isAdding !== press.isOther);
    },
  };
};

/** A point that was pressed: moved when the pointer moves, deleted when it does not. */
function holdPoint(session: StudioSession, scene: Scene, from: ImagePoint): Drag {
  const start = scene.toScreen(from.x, from.y);
  const color = session.selected?.color ?? "#ffffff";
  let to = from;
  let hasMoved = false;
  return {
    move: (point) => {
      hasMoved ||= distance(start, scene.toScreen(point.x, point.y)) > STILL;
      if (hasMoved) to = point;
      scene.redraw();
    },
    end: () => {
      if (hasMoved) moveClick(session, from, to);
      else removeClick(session, from);
    },
    draw: (context, view) => {
      if (hasMoved) drawPoints(context, view, [[to.x, to.y, true]], color);
    },
  };
}

function pointUnder(session: StudioSession, scene: Scene, press: Press): ImagePoint | null {
  const prompts = session.selected?.prompts.find((one) => one.frame === session.state.frame);
  const reach = POINT_RADIUS + (press.isTouch ? FINGER : 2);
  const at = scene.toScreen(press.at.x, press.at.y);
  const found = prompts?.clicks.find(([x, y]) => distance(at, scene.toScreen(x, y)) <= reach);
  return found === undefined ? null : imagePoint(found[0], found[1]);
}

const box: Begin = (session, scene, press) => {
  const { media } = session;
  if (media === null) return null;
  const color = session.selected?.color ?? "#ffffff";
  let to = press.at;
  return {
    move: (point) => {
      to = point;
      scene.redraw();
    },
    end: () => {
      const drawn = boxBetween(press.at, to, media);
      const side = scene.view.scale * Math.sqrt(boxArea(drawn));
      if (side >= LEAST_BOX) setBox(session, drawn);
      else if (isInside(press.at, media)) addClick(session, press.at, session.state.isAdding !== press.isOther);
    },
    draw: (context, view) => { drawBox(context, view, boxBetween(press.at, to, media), color); },
  };
};

const brush: Begin = (session, scene, press) => {
  const points = [press.at];
  const isAdding = session.state.isAdding !== press.isOther;
  const width = 2 * session.state.brushRadius;
  return {
    move: (point) => {
      points.push(point);
      scene.redraw();
    },
    end: () => { paintStroke(session, points, isAdding); },
    draw: (context, view) => {
      drawPath(context, view, points, { isAdding, width: width * view.scale, isFilled: false });
    },
  };
};

const lasso: Begin = (session, scene, press) => {
  const points = [press.at];
  const isAdding = session.state.isAdding !== press.isOther;
  return {
    move: (point) => {
      points.push(point);
      scene.redraw();
    },
    end: () => {
      if (points.length > 4) paintPolygon(session, points, isAdding);
    },
    draw: (context, view) => { drawPath(context, view, points, { isAdding, width: 2, isFilled: true }); },
  };
};

/** Moves the picture; a press that does not move selects the object under it. */
const pan: Begin = (session, scene, press) => {
  let hasMoved = false;
  return {
    move: (point) => {
      const dx = (point.x - press.at.x) * scene.view.scale;
      const dy = (point.y - press.at.y) * scene.view.scale;
      hasMoved ||= Math.hypot(dx, dy) > STILL;
      if (hasMoved) scene.pan(dx, dy);
    },
    end: () => {
      const found = hasMoved ? null : objectAt(session, press.at);
      if (found !== null) session.select(found);
    },
  };
};

const choose: Begin = (session, _scene, press) => ({
  move: () => undefined,
  end: () => {
    const place = candidateAt(session, press.at);
    if (place !== null) toggleCandidate(session, place);
  },
});

const tools: Readonly<Record<Tool, Begin>> = { click, box, brush, lasso, pan };

/** Begin what the tool does; `isPanning` when the picture is to be moved whatever the tool is. */
export function beginDrag(session: StudioSession, scene: Scene, press: Press, isPanning: boolean): Drag | null {
  if (isPanning) return pan(session, scene, press);
  if (session.state.candidates !== null && session.state.tool !== "pan") return choose(session, scene, press);
  return tools[session.state.tool](session, scene, press);
}
