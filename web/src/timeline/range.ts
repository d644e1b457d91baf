/** Which stretch of the video the timeline shows: frames [start, stop). */
export interface Range {
  readonly start: number;
  readonly stop: number;
}

const LEAST = 12;

export function wholeRange(numFrames: number): Range {
  return { start: 0, stop: numFrames };
}

/** Zoom around a frame; never beyond the video, never below a dozen frames. */
export function zoomRange(range: Range, factor: number, around: number, numFrames: number): Range {
  const least = Math.min(LEAST, numFrames);
  const length = Math.min(numFrames, Math.max(least, Math.round((range.stop - range.start) / factor)));
  const share = (around - range.start) / Math.max(1, range.stop - range.start);
  return rangeFrom(Math.round(around - share * length), length, numFrames);
}

/** The same length, moved so that a frame is in it. */
export function rangeWith(range: Range, frame: number, numFrames: number): Range {
  const length = Math.min(range.stop - range.start, numFrames);
  if (frame >= range.start && frame < range.stop) return rangeFrom(range.start, length, numFrames);
  return rangeFrom(Math.round(frame - length * (frame < range.start ? 0.8 : 0.2)), length, numFrames);
}

function rangeFrom(start: number, length: number, numFrames: number): Range {
  const first = Math.max(0, Math.min(start, numFrames - length));
  return { start: first, stop: first + length };
}

/** Where a frame's middle lies, in percent of the width. */
export function percentOf(frame: number, range: Range): number {
  return (100 * (frame + 0.5 - range.start)) / Math.max(1, range.stop - range.start);
}

export function frameAt(share: number, range: Range): number {
  const frame = Math.floor(range.start + share * (range.stop - range.start));
  return Math.min(range.stop - 1, Math.max(range.start, frame));
}
