/** What happens in a project: one WebSocket that comes back where it was. */
import type { Job } from "../model/document";

export interface ProjectEvents {
  /** The state must be loaded if the revision is new, and masks too when messages were missed. */
  onHello: (hello: { revision: number; jobs: readonly Job[]; isGap: boolean }) => void;
  onEdit: (edit: { revision: number; edit_id: string; action: string; object_id: number | null }) => void;
  onJob: (job: Job) => void;
  onChanged: () => void;
  onMask: (message: ArrayBuffer) => void;
  onConnection: (isOpen: boolean) => void;
}

type Message =
  | { type: "hello"; epoch: string; cursor: number; revision: number; jobs: Job[] }
  | { type: "reset"; epoch: string; cursor: number }
  | { type: "edit"; revision: number; edit_id: string; action: string; object_id: number | null; cursor: number }
  | { type: "job"; job: Job; cursor: number }
  | { type: "media" | "project"; cursor: number };

const FIRST_WAIT_MS = 250;
const MOST_WAIT_MS = 5000;

export class ProjectSocket {
  private socket: WebSocket | null = null;
  private epoch = "";
  private cursor: number | null = null;
  private waitMs = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isClosed = false;

  constructor(
    private readonly projectId: string,
    private readonly events: ProjectEvents,
  ) {
    this.open();
  }

  close(): void {
    this.isClosed = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.socket?.close();
  }

  private open(): void {
    const socket = new WebSocket(socketAddress("/ws"));
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onopen = () => {
      const place = this.cursor === null ? {} : { epoch: this.epoch, cursor: this.cursor };
      socket.send(JSON.stringify({ type: "subscribe", project_id: this.projectId, ...place }));
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data === "string") this.take(JSON.parse(data) as Message);
      else {
        this.cursor = cursorOf(data);
        this.events.onMask(data);
      }
    };
    socket.onclose = () => {
      if (this.isClosed) return;
      this.events.onConnection(false);
      this.timer = setTimeout(() => { this.open(); }, this.waitMs);
      this.waitMs = Math.min(MOST_WAIT_MS, this.waitMs * 2);
    };
  }

  private take(message: Message): void {
    const before = { epoch: this.epoch, cursor: this.cursor };
    this.cursor = message.cursor;
    switch (message.type) {
      case "hello": {
        this.epoch = message.epoch;
        this.waitMs = FIRST_WAIT_MS;
        this.events.onConnection(true);
        const isGap = before.cursor !== null && (before.epoch !== message.epoch || before.cursor !== message.cursor);
        this.events.onHello({ revision: message.revision, jobs: message.jobs, isGap });
        return;
      }
      case "reset":
        this.epoch = message.epoch;
        this.events.onHello({ revision: Infinity, jobs: [], isGap: true });
        return;
      case "edit":
        this.events.onEdit(message);
        return;
      case "job":
        this.events.onJob(message.job);
        return;
      default:
        this.events.onChanged();
    }
  }
}

/** The first number after the fixed bytes of a mask message. */
function cursorOf(message: ArrayBuffer): number {
  const bytes = new Uint8Array(message, 13);
  let value = 0;
  let factor = 1;
  for (const byte of bytes) {
    value += (byte & 127) * factor;
    if (byte < 128) break;
    factor *= 128;
  }
  return value;
}

export function socketAddress(path: string): string {
  const scheme = window.location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${window.location.host}${path}`;
}
