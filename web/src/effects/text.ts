import { copied, dimmed, mixColor, percent, scaled } from "./arithmetic";
import { colorOf, optionOf, wholeOf } from "./catalogue";
import { drawWord, type Word, wordUnits } from "./glyphs";
import type { Alpha, Picture, RenderBackground, Values } from "./types";

/** Words behind the objects. */

const LINE_HEIGHT_PERCENT = 150;
const FILLED_PERCENT = 92;
const LARGEST_PERCENT = 78;

export const textBackground: RenderBackground = (ground, scene, values) => {
  const picture = copied(ground);
  const isRows = optionOf(values, "layout") === "rows";
  const alpha = isRows ? rowsOf(ground, scene.index, values) : oneWord(ground, values);
  mixColor(picture, colorOf(values, "paper"), percent(wholeOf(values, "cover")));
  mixColor(picture, colorOf(values, "color"), dimmed(alpha, percent(wholeOf(values, "strength"))));
  return picture;
};

/** The word again and again, row by row, every second row the other way. */
function rowsOf(picture: Picture, index: number, values: Values): Alpha {
  const { width, height } = picture;
  const heightPx = scaled(wholeOf(values, "size"), picture);
  const word = lettered(`${optionOf(values, "text")} `, heightPx, values);
  const linePx = Math.max(word.height, Math.floor((heightPx * LINE_HEIGHT_PERCENT) / 100));
  const speed = wholeOf(values, "speed");
  const moved = speed === 0 ? 0 : index * scaled(speed, picture);
  const third = Math.floor(word.width / 3);
  const alpha = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / linePx);
    const line = y - row * linePx;
    if (line >= word.height) continue;
    const shift = row * third + (row % 2 === 1 ? moved : -moved);
    let from = ((shift % word.width) + word.width) % word.width;
    for (let x = 0; x < width; x++) {
      alpha[y * width + x] = word.alpha[line * word.width + from];
      if (++from === word.width) from = 0;
    }
  }
  return alpha;
}

/** The word once, as large as it fits, in the middle. */
function oneWord(picture: Picture, values: Values): Alpha {
  const { width, height } = picture;
  const text = optionOf(values, "text");
  const heightPx = Math.min((width * FILLED_PERCENT) / wordUnits(text), (height * LARGEST_PERCENT) / 100);
  const word = lettered(text, heightPx, values);
  const alpha = new Uint8Array(width * height);
  const rows = Math.min(word.height, height);
  const columns = Math.min(word.width, width);
  const [top, left] = [(height - rows) >> 1, (width - columns) >> 1];
  const [fromRow, fromColumn] = [(word.height - rows) >> 1, (word.width - columns) >> 1];
  for (let row = 0; row < rows; row++) {
    const from = (row + fromRow) * word.width + fromColumn;
    alpha.set(word.alpha.subarray(from, from + columns), (row + top) * width + left);
  }
  return alpha;
}

function lettered(text: string, heightPx: number, values: Values): Word {
  return drawWord(text, { heightPx, weight: wholeOf(values, "weight"), outline: wholeOf(values, "outline") });
}
