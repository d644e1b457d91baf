/** The page's side of the mask worker. */
import type { Box } from "../geometry/box";
import type { Size } from "../geometry/points";
import type { MaskMessage } from "../masks/message";
import type { PaintedMask } from "../masks/paint";
import type { Answer, Ask } from "./maskProtocol";

export interface PaintedPart {
  readonly picture: ImageBitmap;
  readonly box: Box;
}

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class MaskWorker {
  private readonly worker = new Worker(new URL("./masks.worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private lastTicket = 0;

  constructor(private readonly onMessage: (message: MaskMessage) => void) {
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => { this.take(data); };
  }

  /** Decode a message of the stream; it comes back through `onMessage`, in order. */
  decode(buffer: ArrayBuffer): void {
    this.post({ kind: "message", buffer }, [buffer]);
  }

  async decodeCounts(counts: readonly string[]): Promise<readonly Uint32Array[]> {
    const answer = await this.ask((ticket) => ({ kind: "counts", ticket, counts }));
    return answer.kind === "counts" ? answer.runs : [];
  }

  /** Masks as one picture of the box that holds them. */
  async paint(masks: readonly PaintedMask[], size: Size): Promise<PaintedPart | null> {
    const answer = await this.ask((ticket) => ({ kind: "paint", ticket, masks, size }));
    return answer.kind === "paint" ? { picture: answer.picture, box: answer.box } : null;
  }

  close(): void {
    this.worker.terminate();
  }

  private ask(make: (ticket: number) => Ask): Promise<Answer> {
    const ticket = ++this.lastTicket;
    return new Promise((resolve, reject) => {
      this.waiting.set(ticket, { resolve, reject });
      this.post(make(ticket), []);
    });
  }

  private post(ask: Ask, transfer: Transferable[]): void {
    this.worker.postMessage(ask, transfer);
  }

  private take(answer: Answer): void {
    if (answer.kind === "message") {
      this.onMessage(answer.message);
      return;
    }
    if (answer.ticket === null) return;
    const waiting = this.waiting.get(answer.ticket);
    this.waiting.delete(answer.ticket);
    if (answer.kind === "failed") waiting?.reject(new Error(answer.reason));
    else waiting?.resolve(answer);
  }
}
