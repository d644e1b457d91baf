/** COCO's text form of run lengths: six bits per letter, differences to the run before last from the third on. */

export function decodeCounts(counts: string): Uint32Array {
  const runs: number[] = [];
  for (let at = 0; at < counts.length; ) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      if (at >= counts.length) throw new RangeError("A mask's run lengths are cut.");
      const letter = counts.charCodeAt(at++) - 48;
      value |= (letter & 31) << shift;
      more = (letter & 32) !== 0;
      shift += 5;
      if (!more && (letter & 16) !== 0 && shift < 32) value |= -1 << shift;
    }
    runs.push(runs.length > 2 ? value + runs[runs.length - 2] : value);
  }
  return Uint32Array.from(runs);
}

export function encodeCounts(runs: Uint32Array): string {
  const letters: string[] = [];
  for (let place = 0; place < runs.length; place++) {
    let value = place > 2 ? runs[place] - runs[place - 2] : runs[place];
    let more = true;
    while (more) {
      let letter = value & 31;
      value >>= 5;
      more = (letter & 16) !== 0 ? value !== -1 : value !== 0;
      if (more) letter |= 32;
      letters.push(String.fromCharCode(letter + 48));
    }
  }
  return letters.join("");
}
