import type { Mask } from "./runs";

/** A mask as the stream brings it; `docs/guides/studio.md` describes the bytes. */
export interface MaskMessage {
  readonly mediaId: string;
  readonly cursor: number;
  readonly objectId: number;
  readonly frame: number;
  readonly mask: Mask;
  readonly score: number;
  readonly presence: number;
  readonly stability: number;
  readonly isPrompted: boolean;
  readonly isBackward: boolean;
}

const VERSION = 1;
const FIXED_BYTES = 13;

export function unpackMask(buffer: ArrayBuffer): MaskMessage {
  const bytes = new Uint8Array(buffer);
  if (bytes.length <= FIXED_BYTES || bytes[0] !== VERSION) {
    throw new RangeError("A mask message of another version; load the page again.");
  }
  let at = FIXED_BYTES;
  const next = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= bytes.length || factor > 2 ** 49) throw new RangeError("A mask message is cut.");
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  const [cursor, objectId, frame, width, height, numRuns] = [next(), next(), next(), next(), next(), next()];
  const runs = new Uint32Array(numRuns);
  for (let place = 0; place < numRuns; place++) runs[place] = next();
  if (at !== bytes.length) throw new RangeError("A mask message is too long.");
  return {
    mediaId: Array.from(bytes.subarray(1, 9), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    cursor,
    objectId,
    frame,
    mask: { width, height, runs },
    score: bytes[10] / 255,
    presence: bytes[11] / 255,
    stability: bytes[12] / 255,
    isPrompted: (bytes[9] & 1) !== 0,
    isBackward: (bytes[9] & 2) !== 0,
  };
}
