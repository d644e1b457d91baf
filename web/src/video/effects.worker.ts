/** Draws effects beside the page, with the code that the server's export is held against. */
import { composeFrame } from "../effects";
import { toBitmapAt } from "../masks/runs";
import type { EffectsAnswer, EffectsAsk } from "./effectsProtocol";

const scope = globalThis as unknown as {
  postMessage: (answer: EffectsAnswer, transfer: Transferable[]) => void;
  onmessage: ((event: MessageEvent<EffectsAsk>) => void) | null;
};

async function answer(ask: EffectsAsk): Promise<void> {
  const { width, height } = ask.size;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("This browser cannot draw effects.");
  context.drawImage(ask.picture, 0, 0, width, height);
  ask.picture.close();
  const masks = new Map(ask.masks.map(({ objectId, mask }) => [objectId, toBitmapAt(mask, ask.size)]));
  const made = composeFrame(context.getImageData(0, 0, width, height), masks, ask.settings, ask.index);
  const picture = await createImageBitmap(new ImageData(new Uint8ClampedArray(made.data), width, height));
  scope.postMessage({ picture, reason: "" }, [picture]);
}

scope.onmessage = ({ data }) => {
  answer(data).catch((error: unknown) => {
    scope.postMessage({ picture: null, reason: error instanceof Error ? error.message : "unknown" }, []);
  });
};
