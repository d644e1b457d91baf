/** The page's side of the effects worker; it starts with the first effect. */
import type { EffectsAnswer, EffectsAsk } from "./effectsProtocol";

export class EffectsWorker {
  private worker: Worker | null = null;

  async render(ask: Omit<EffectsAsk, "picture"> & { readonly picture: ImageBitmap }): Promise<ImageBitmap> {
    this.worker ??= new Worker(new URL("./effects.worker.ts", import.meta.url), { type: "module" });
    const { worker } = this;
    const picture = await createImageBitmap(ask.picture);
    const answer = await new Promise<EffectsAnswer>((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<EffectsAnswer>) => { resolve(data); };
      worker.postMessage({ ...ask, picture }, [picture]);
    });
    if (answer.picture === null) throw new Error(answer.reason);
    return answer.picture;
  }

  close(): void {
    this.worker?.terminate();
  }
}
