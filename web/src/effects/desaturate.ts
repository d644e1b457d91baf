import { bytesOf, copied, divided, luma, percent } from "./arithmetic";
import { colorOf, wholeOf } from "./catalogue";
import type { RenderBackground } from "./types";

/** Colours taken back, wholly or in part, or all of one tone. */
export const desaturateBackground: RenderBackground = (ground, _scene, values) => {
  const picture = copied(ground);
  const data = bytesOf(picture);
  const contrast = wholeOf(values, "contrast");
  const amount = percent(wholeOf(values, "amount"));
  const rest = 255 - amount;
  const [red, green, blue] = colorOf(values, "tone");
  const levels = Uint8Array.from({ length: 256 }, (_, level) =>
    Math.max(0, Math.min(255, 128 + Math.floor(((level - 128) * contrast) / 100))),
  );
  for (let at = 0; at < data.length; at += 4) {
    const level = levels[luma(data, at)];
    data[at] = divided(data[at] * rest + divided(level * red + 127) * amount + 127);
    data[at + 1] = divided(data[at + 1] * rest + divided(level * green + 127) * amount + 127);
    data[at + 2] = divided(data[at + 2] * rest + divided(level * blue + 127) * amount + 127);
  }
  return picture;
};
