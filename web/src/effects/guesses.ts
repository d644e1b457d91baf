/** What may be behind an object: straight guesses from both sides, and from above and below, mixed with a soft one. */

const FULL_WEIGHT = 1 << 22;
const ALIKE = 12;
const UNLIKE = 200;
const UNDIRECTED_WEIGHT = 8;
const NO_END = 10_000;
const TONE_RADIUS = 2;
const AREA = (2 * TONE_RADIUS + 1) ** 2;

interface Filled {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue; unknown pixels hold the soft guess. */
  readonly colors: Int32Array;
  readonly known: Uint8Array;
}

interface Guess {
  readonly colors: Int32Array;
  weight: number;
}

/** Colours with all guesses mixed at the places where nothing is known. */
export function mixGuesses(filled: Filled, holes: Int32Array): Int32Array {
  const { width, height, colors, known } = filled;
  const tones = new Tones(filled);
  const sides = [endsAlong(known, width, height, 1), endsAlong(known, height, width, width)] as const;
  const mixed = colors.slice();
  const across: Guess = { colors: new Int32Array(3), weight: 0 };
  const down: Guess = { colors: new Int32Array(3), weight: 0 };
  const first = across.colors;
  const second = down.colors;
  for (let number = 0; number < holes.length; number++) {
    const at = holes[number];
    guess(across, sides[0], at, 1, tones);
    guess(down, sides[1], at, width, tones);
    const { weight } = across;
    const other = down.weight;
    const total = weight + other + UNDIRECTED_WEIGHT;
    const half = total >> 1;
    const to = at * 3;
    // all sums stay below 2 ** 31
    mixed[to] = ((first[0] * weight + second[0] * other + colors[to] * UNDIRECTED_WEIGHT + half) / total) | 0;
    mixed[to + 1] = ((first[1] * weight + second[1] * other + colors[to + 1] * UNDIRECTED_WEIGHT + half) / total) | 0;
    mixed[to + 2] = ((first[2] * weight + second[2] * other + colors[to + 2] * UNDIRECTED_WEIGHT + half) / total) | 0;
  }
  return mixed;
}

/**
 * Means over a square around the pixels at which lines end, worked out when they are first asked for: ends are compared and
 * taken by their tone, because a single noisy pixel would draw a line through the hole.
 */
class Tones {
  /** Red, green, blue: the tone, and between the tone and the pixel. */
  readonly tone: Int32Array;
  readonly end: Int32Array;
  private readonly isDone: Uint8Array;

  constructor(private readonly filled: Filled) {
    this.tone = new Int32Array(filled.colors.length);
    this.end = new Int32Array(filled.colors.length);
    this.isDone = new Uint8Array(filled.known.length);
  }

  workOut(at: number): void {
    if (this.isDone[at]) return;
    this.isDone[at] = 1;
    const { width, height, colors } = this.filled;
    const row = Math.floor(at / width);
    const column = at - row * width;
    let [red, green, blue] = [0, 0, 0];
    for (let down = -TONE_RADIUS; down <= TONE_RADIUS; down++) {
      const start = Math.max(0, Math.min(height - 1, row + down)) * width;
      for (let right = -TONE_RADIUS; right <= TONE_RADIUS; right++) {
        const from = (start + Math.max(0, Math.min(width - 1, column + right))) * 3;
        red += colors[from];
        green += colors[from + 1];
        blue += colors[from + 2];
      }
    }
    this.keep(at * 3, red);
    this.keep(at * 3 + 1, green);
    this.keep(at * 3 + 2, blue);
  }

  private keep(at: number, sum: number): void {
    this.tone[at] = Math.floor((sum + (AREA >> 1)) / AREA);
    this.end[at] = (this.filled.colors[at] + this.tone[at] + 1) >> 1;
  }
}

/** The nearest known pixels before and after each unknown one along a line, -1 where there is none. */
interface Ends {
  readonly before: Int32Array;
  readonly after: Int32Array;
}

function endsAlong(known: Uint8Array, length: number, numLines: number, step: number): Ends {
  const before = new Int32Array(known.length);
  const after = new Int32Array(known.length);
  for (let line = 0; line < numLines; line++) {
    const start = step === 1 ? line * length : line;
    const stop = start + length * step;
    let last = -1;
    for (let at = start; at < stop; at += step) {
      if (known[at]) last = at;
      before[at] = last;
    }
    last = -1;
    for (let at = stop - step; at >= start; at -= step) {
      if (known[at]) last = at;
      after[at] = last;
    }
  }
  return { before, after };
}

/** Between two ends, and how much that counts, into `result`. */
function guess(result: Guess, sides: Ends, at: number, step: number, tones: Tones): void {
  const before = sides.before[at];
  const after = sides.after[at];
  if (before < 0 && after < 0) {
    result.weight = 0;
    result.colors.fill(0);
    return;
  }
  const first = (before < 0 ? after : before) * 3;
  const second = (after < 0 ? before : after) * 3;
  const toFirst = before < 0 ? NO_END : ((at - before) / step) | 0;
  const toSecond = after < 0 ? NO_END : ((after - at) / step) | 0;
  const length = toFirst + toSecond;
  tones.workOut(first / 3);
  tones.workOut(second / 3);
  const { tone, end } = tones;
  let unlike = ALIKE + (before < 0 || after < 0 ? UNLIKE : 0);
  const half = length >> 1;
  const { colors } = result;
  for (let channel = 0; channel < 3; channel++) {
    const sum = end[first + channel] * toSecond + end[second + channel] * toFirst;
    colors[channel] = ((sum + half) / length) | 0;
    unlike += Math.abs(tone[first + channel] - tone[second + channel]);
  }
  result.weight = Math.floor(FULL_WEIGHT / (unlike * unlike * Math.min(toFirst, toSecond)));
}
