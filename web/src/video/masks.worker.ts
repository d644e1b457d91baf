/** Decodes and paints masks beside the page, so that the page never waits for them. */
import { decodeCounts } from "../masks/counts";
import { unpackMask } from "../masks/message";
import { paintedBox, paintMasks } from "../masks/paint";
import type { Answer, Ask } from "./maskProtocol";

const scope = globalThis as unknown as {
  postMessage: (answer: Answer, transfer: Transferable[]) => void;
  onmessage: ((event: MessageEvent<Ask>) => void) | null;
};

async function answer(ask: Ask): Promise<void> {
  if (ask.kind === "message") {
    const message = unpackMask(ask.buffer);
    scope.postMessage({ kind: "message", message }, [message.mask.runs.buffer]);
  } else if (ask.kind === "counts") {
    const runs = ask.counts.map(decodeCounts);
    scope.postMessage(
      { kind: "counts", ticket: ask.ticket, runs },
      runs.map((one) => one.buffer),
    );
  } else {
    const box = paintedBox(ask.masks, ask.size);
    const pixels = paintMasks(ask.masks, ask.size, box);
    const picture = await createImageBitmap(new ImageData(pixels, box[2] - box[0], box[3] - box[1]));
    scope.postMessage({ kind: "paint", ticket: ask.ticket, picture, box }, [picture]);
  }
}

scope.onmessage = ({ data }) => {
  answer(data).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    scope.postMessage({ kind: "failed", ticket: "ticket" in data ? data.ticket : null, reason }, []);
  });
};
