/** The camera on one canvas: pictures go to the studio, masks come back and are drawn over the picture they belong to. */
import { LiveSocket } from "../api/live";
import { paintMasks, parseColor } from "../masks/paint";
import { contains, type Mask } from "../masks/runs";
import { paletteColor } from "../model/document";

export interface LiveStatus {
  readonly kind: "starting" | "running" | "failed";
  readonly objects: readonly number[];
  readonly selectedId?: number | null;
  readonly perSecond: number;
  readonly message: string;
}

const MOST_SIDE = 640;
const WAITING = 2;
/** With nothing to follow, a picture now and then keeps the studio ready. */
const IDLE_MS = 1000;
const PROBLEM_MS = 8000;
const STYLE = { fill: 0.45, outline: 1 };

export class LiveView {
  private readonly video = document.createElement("video");
  private readonly sent = document.createElement("canvas");
  private readonly painted = document.createElement("canvas");
  private socket: LiveSocket | null = null;
  private readonly pictures = new Map<number, ImageBitmap>();
  private readonly arrived = new Map<number, Map<number, Mask>>();
  private readonly clicks = new Map<number, [number, number, boolean][]>();
  private shown = new Map<number, Mask>();
  private objects: number[] = [];
  private selectedId: number | null = null;
  private numSent = 0;
  private isEncoding = false;
  private last = { sentMs: -Infinity, videoS: -1 };
  private problem = { text: "", untilMs: 0 };
  private readonly moments: number[] = [];
  private run = 0;
  private isClosed = false;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onStatus: (status: LiveStatus) => void,
  ) {}

  /** Begin, or begin anew after something failed. */
  async start(): Promise<void> {
    this.reset();
    const run = ++this.run;
    this.say("starting");
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } });
      if (this.isClosed || run !== this.run) {
        stream.getTracks().forEach((track) => { track.stop(); });
        return;
      }
      this.video.srcObject = stream;
      this.video.muted = true;
      stream.getVideoTracks()[0].addEventListener("ended", () => { this.fail(run, "The camera was disconnected. Connect it, then try again."); });
      await this.video.play();
    } catch (error) {
      this.fail(run, describeCameraError(error));
      return;
    }
    const scale = Math.min(1, MOST_SIDE / Math.max(this.video.videoWidth, this.video.videoHeight));
    for (const one of [this.canvas, this.sent, this.painted]) {
      one.width = Math.round(this.video.videoWidth * scale);
      one.height = Math.round(this.video.videoHeight * scale);
    }
    this.openSocket(run);
    this.say("running");
    this.drawOn(run);
  }

  close(): void {
    this.isClosed = true;
    this.reset();
  }

  /** A click at a share of width and height: the selected object, the one under the pointer, or a new one. */
  click(shareX: number, shareY: number, isPositive: boolean): void {
    const [x, y] = [shareX * this.canvas.width, shareY * this.canvas.height];
    const under = [...this.shown].find(([, mask]) => contains(mask, x, y))?.[0] ?? null;
    const id = this.selectedId ?? under ?? Math.max(0, ...this.objects) + 1;
    const said = this.objects.includes(id) ? (this.clicks.get(id) ?? []) : [];
    if (said.length === 0 && !isPositive) return;
    this.clicks.set(id, [...said, [x, y, isPositive]]);
    this.selectedId = id;
    if (!this.objects.includes(id)) this.objects = [...this.objects, id];
    this.socket?.click(id, [[x, y, isPositive]]);
    this.say("running");
  }

  select(id: number | null): void {
    this.selectedId = id;
    this.say("running");
  }

  remove(id: number): void {
    this.socket?.remove(id);
    this.objects = this.objects.filter((one) => one !== id);
    this.clicks.delete(id);
    this.shown.delete(id);
    if (this.selectedId === id) this.selectedId = null;
    this.say("running");
  }

  private reset(): void {
    this.socket?.close();
    this.socket = null;
    const stream = this.video.srcObject;
    if (stream instanceof MediaStream) stream.getTracks().forEach((track) => { track.stop(); });
    this.video.srcObject = null;
    this.forget(Infinity);
    this.arrived.clear();
    this.clicks.clear();
    this.shown = new Map();
    this.objects = [];
    this.selectedId = null;
    this.numSent = 0;
    this.last = { sentMs: -Infinity, videoS: -1 };
  }

  private fail(run: number, message: string): void {
    if (this.isClosed || run !== this.run) return;
    this.run++;
    this.reset();
    this.say("failed", message);
  }

  private openSocket(run: number): void {
    this.socket = new LiveSocket({
      onMask: ({ frame, objectId, mask }) => {
        const masks = this.arrived.get(frame) ?? new Map<number, Mask>();
        this.arrived.set(frame, masks.set(objectId, mask));
      },
      onFrame: ({ frame }) => { this.show(frame); },
      onError: ({ message, frame }) => {
        if (frame !== null) this.forget(frame); // no masks come for it
        this.problem = { text: message, untilMs: performance.now() + PROBLEM_MS };
        this.say("running");
      },
      onClosed: () => { this.fail(run, "The studio closed the stream; try again."); },
    });
  }

  private drawOn(run: number): void {
    if (this.isClosed || run !== this.run) return;
    if (this.isTimeToSend()) void this.sendPicture();
    if (this.objects.length === 0) this.context()?.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    requestAnimationFrame(() => { this.drawOn(run); });
  }

  /** One that the camera has given since the last one, and only as many as the studio keeps up with. */
  private isTimeToSend(): boolean {
    if (this.socket?.isOpen !== true || this.isEncoding || this.pictures.size >= WAITING) return false;
    if (this.video.currentTime === this.last.videoS) return false;
    return this.objects.length > 0 || performance.now() - this.last.sentMs >= IDLE_MS;
  }

  private async sendPicture(): Promise<void> {
    const { socket } = this;
    this.isEncoding = true;
    this.last = { sentMs: performance.now(), videoS: this.video.currentTime };
    try {
      this.sent.getContext("2d")?.drawImage(this.video, 0, 0, this.sent.width, this.sent.height);
      const encoded = new Promise<Blob | null>((resolve) => { this.sent.toBlob(resolve, "image/jpeg", 0.8); });
      const [blob, picture] = await Promise.all([encoded, createImageBitmap(this.sent)]);
      if (blob === null || socket?.isOpen !== true || socket !== this.socket) {
        picture.close();
        return;
      }
      this.pictures.set(this.numSent++, picture); // the studio counts what it gets
      socket.sendPicture(blob);
    } finally {
      this.isEncoding = false;
    }
  }

  private show(frame: number): void {
    const picture = this.pictures.get(frame);
    this.shown = this.arrived.get(frame) ?? new Map();
    const context = this.context();
    if (picture !== undefined && context !== null && this.objects.length > 0) {
      context.drawImage(picture, 0, 0);
      const masks = [...this.shown].filter(([id]) => this.objects.includes(id));
      const painted = masks.map(([id, mask]) => ({ mask, style: { color: parseColor(paletteColor(id)), ...STYLE } }));
      const over = this.painted.getContext("2d");
      over?.putImageData(new ImageData(paintMasks(painted, this.canvas), this.canvas.width, this.canvas.height), 0, 0);
      context.drawImage(this.painted, 0, 0);
    }
    this.forget(frame);
    this.moments.push(performance.now());
    if (this.moments.length > 10) this.moments.shift();
    this.say("running");
  }

  /** Let go of pictures up to one that was answered. */
  private forget(frame: number): void {
    for (const [number, old] of this.pictures) {
      if (number > frame) continue;
      old.close();
      this.pictures.delete(number);
      this.arrived.delete(number);
    }
  }

  private context(): CanvasRenderingContext2D | null {
    return this.canvas.getContext("2d");
  }

  private say(kind: LiveStatus["kind"], message = ""): void {
    const span = (this.moments.at(-1) ?? 0) - (this.moments[0] ?? 0);
    const perSecond = span > 0 ? (1000 * (this.moments.length - 1)) / span : 0;
    const problem = performance.now() < this.problem.untilMs ? this.problem.text : "";
    this.onStatus({ kind, objects: this.objects, selectedId: this.selectedId, perSecond, message: message === "" ? problem : message });
  }
}

function describeCameraError(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "The browser may not use it. Allow the camera for this page, then try again.";
  if (name === "NotFoundError") return "There is no camera on this machine. Connect one, then try again.";
  if (name === "NotReadableError") return "Another program uses it. Close that one, then try again.";
  return "The camera cannot be opened here. The page must be opened on this machine or through https.";
}
