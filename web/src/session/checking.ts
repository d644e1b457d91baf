/** From doubt to doubt: which uncertain frames a person has been shown already. */
import type { Media } from "../model/document";
import type { MaskDesk } from "./maskDesk";

/** What it needs of the open project. */
interface Checked {
  readonly media: Media | null;
  readonly desk: MaskDesk;
  readonly seek: (frame: number) => void;
  readonly select: (objectId: number) => void;
  readonly tell: (text: string) => void;
}

/** Frames side by side look alike: one of so many is enough. */
const NEAR = 8;

export class Checking {
  private readonly seen = new Set<string>();

  clear(): void {
    this.seen.clear();
  }

  /** Jump to the least certain frame that was not shown yet. */
  seekNext(session: Checked): void {
    const listed = (session.media?.objects ?? []).filter((one) => one.is_visible && !one.is_locked);
    const key = (objectId: number, frame: number): string => `${String(objectId)}/${String(Math.floor(frame / NEAR))}`;
    const found = session.desk.lanes.nextToCheck(listed.map((one) => one.id), (id, frame) => this.seen.has(key(id, frame)));
    if (found === null) {
      session.tell(this.seen.size > 0 ? "You have seen every uncertain frame; starting over." : "Track something first.");
      this.clear();
      return;
    }
    this.seen.add(key(found.objectId, found.frame));
    session.seek(found.frame);
    session.select(found.objectId);
  }
}
