/** Decodes and paints masks beside the page, so that the page never waits for them. */
import { decodeCounts } from "../masks/counts";
import { unpackMask } from "../masks/message";
import { paintMasks } from "../masks/paint";
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
    const pixels = paintMasks(ask.masks, ask.size);
    const picture = await createImageBitmap(new ImageData(pixels, ask.size.width, ask.size.height));
    scope.postMessage({ kind: "paint", ticket: ask.ticket, picture }, [picture]);
  }
}

scope.onmessage = ({ data }) => {
  answer(data).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "unknown";
    scope.postMessage({ kind: "failed", ticket: "ticket" in data ? data.ticket : null, reason }, []);
  });
};
