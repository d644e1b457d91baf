/** A live stream: pictures out, masks in. */
import { unpackMask, type MaskMessage } from "../masks/message";
import { socketAddress } from "./socket";

export interface LiveEvents {
  onMask: (message: MaskMessage) => void;
  onFrame: (frame: { frame: number; num_dropped: number }) => void;
  /** `frame` is the picture that was refused; null when it was something else. */
  onError: (error: { message: string; frame: number | null }) => void;
  onClosed: () => void;
}

type Message =
  | { type: "frame"; frame: number; objects: number[]; num_dropped: number }
  | { type: "error"; code: string; message: string; frame: number | null };

export class LiveSocket {
  private readonly socket: WebSocket;

  constructor(events: LiveEvents) {
    this.socket = new WebSocket(socketAddress("/ws/live"));
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (typeof data !== "string") {
        events.onMask(unpackMask(data));
        return;
      }
      const message = JSON.parse(data) as Message;
      if (message.type === "frame") events.onFrame(message);
      else events.onError(message);
    };
    this.socket.onclose = () => { events.onClosed(); };
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  sendPicture(picture: Blob): void {
    this.socket.send(picture);
  }

  click(objectId: number, clicks: readonly (readonly [number, number, boolean])[]): void {
    this.socket.send(JSON.stringify({ type: "prompt", object_id: objectId, clicks }));
  }

  remove(objectId: number): void {
    this.socket.send(JSON.stringify({ type: "remove", object_id: objectId }));
  }

  close(): void {
    this.socket.close();
  }
}
