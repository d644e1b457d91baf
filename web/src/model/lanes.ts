/** What is known of each object on each frame, without the masks: the data of the timeline. */

export interface LaneNote {
  readonly objectId: number;
  readonly frame: number;
  readonly score: number;
  readonly presence: number;
  readonly isEmpty: boolean;
  readonly isPrompted: boolean;
  readonly isBackward: boolean;
}

/** Which tracked frames an edit made stale. */
export interface Dropped {
  readonly after: number;
  readonly before: number;
}

export type LaneKind = "visible" | "absent" | "prompted";

export interface Stretch {
  readonly start: number;
  readonly stop: number;
  readonly kind: LaneKind;
  /** Mean confidence over the stretch, 0 to 1. */
  readonly confidence: number;
}

/** How sure the model is of a frame: of the mask where the object is, and of its absence where it is not. */
export function confidenceOf(note: LaneNote): number {
  if (note.isPrompted) return 1;
  const certainty = Math.abs(2 * note.presence - 1);
  return Math.max(0, Math.min(1, note.isEmpty ? certainty : note.score * (0.5 + 0.5 * certainty)));
}

export class Lanes {
  private readonly byObject = new Map<number, Map<number, LaneNote>>();

  put(note: LaneNote): void {
    let lane = this.byObject.get(note.objectId);
    if (lane === undefined) this.byObject.set(note.objectId, (lane = new Map()));
    lane.set(note.frame, note);
  }

  clear(): void {
    this.byObject.clear();
  }

  remove(objectId: number): void {
    this.byObject.delete(objectId);
  }

  at(objectId: number, frame: number): LaneNote | null {
    return this.byObject.get(objectId)?.get(frame) ?? null;
  }

  numKnown(objectId: number): number {
    return this.byObject.get(objectId)?.size ?? 0;
  }

  /** Forget what was tracked past `after`, and backward past `before`: an edit made it stale, as the server says. */
  drop(objectId: number, { after, before }: Dropped): number[] {
    const lane = this.byObject.get(objectId);
    const dropped: number[] = [];
    for (const note of lane?.values() ?? []) {
      const isDependent = note.isBackward ? note.frame < before : note.frame > after;
      if (isDependent && !note.isPrompted) dropped.push(note.frame);
    }
    for (const one of dropped) lane?.delete(one);
    return dropped;
  }

  /** Stretches of [start, stop) with one kind and about one confidence each, at most one per column. */
  stretches(objectId: number, start: number, stop: number, columns: number): Stretch[] {
    const lane = this.byObject.get(objectId);
    if (lane === undefined || lane.size === 0) return [];
    const step = Math.max(1, (stop - start) / Math.max(1, columns));
    const found: Stretch[] = [];
    for (let at = start; at < stop; at += step) {
      const from = Math.floor(at);
      const to = Math.min(stop, Math.max(from + 1, Math.floor(at + step)));
      const one = summarise(lane, from, to);
      if (one === null) continue;
      const last = found.at(-1);
      if (last?.stop === one.start && isAlike(last, one)) found[found.length - 1] = { ...last, stop: one.stop };
      else found.push(one);
    }
    return found;
  }

  /** The least certain frame that nobody has looked at, or null. */
  nextToCheck(objectIds: readonly number[], isChecked: (objectId: number, frame: number) => boolean): LaneNote | null {
    let worst: LaneNote | null = null;
    for (const objectId of objectIds) {
      for (const note of this.byObject.get(objectId)?.values() ?? []) {
        if (note.isPrompted || isChecked(objectId, note.frame)) continue;
        if (worst === null || confidenceOf(note) < confidenceOf(worst)) worst = note;
      }
    }
    return worst;
  }
}

function summarise(lane: Map<number, LaneNote>, start: number, stop: number): Stretch | null {
  let [sum, known, absent, prompted] = [0, 0, 0, 0];
  for (let frame = start; frame < stop; frame++) {
    const note = lane.get(frame);
    if (note === undefined) continue;
    known++;
    sum += confidenceOf(note);
    if (note.isEmpty) absent++;
    else if (note.isPrompted) prompted++;
  }
  if (known === 0) return null;
  const kind = prompted > 0 ? "prompted" : absent * 2 > known ? "absent" : "visible";
  return { start, stop, kind, confidence: sum / known };
}

function isAlike(first: Stretch, second: Stretch): boolean {
  return first.kind === second.kind && Math.abs(first.confidence - second.confidence) < 0.04;
}
