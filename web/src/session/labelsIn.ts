/** Labels of other programs onto the media of a project. */
import { describeError } from "../api/client";
import { sendLabels } from "../api/requests";
import { uploadFile } from "../api/upload";
import { StaleError } from "../model/editQueue";
import { formats } from "../model/formats";
import { count } from "../model/words";
import type { StudioSession } from "./studioSession";

const MOST_TRIES = 4;

/** Sends a file and puts its labels in; gives what went wrong, or null. */
export async function importLabels(
  session: StudioSession,
  file: File,
  mode: "add" | "replace",
  onShare: (share: number) => void,
): Promise<string | null> {
  try {
    const uploadId = await uploadFile(file, ({ sent, total }) => { onShare(sent / total); }, new AbortController().signal);
    onShare(1);
    const reply = await sendUntilFresh(session, uploadId, mode);
    await session.reload();
    const objects = session.media?.objects ?? [];
    if (session.selected === null && objects.length > 0) session.select(objects[0].id);
    const where = reply.num_media > 1 ? ` on ${count(reply.num_media, "image or video", "images and videos")}` : "";
    session.tell(`${count(reply.num_objects, "object")}${where} came in from ${formats[reply.format].name.split(",")[0]}.`, "done", {
      label: "Undo",
      perform: () => { session.step("undo"); },
    });
    if (reply.notes.length > 0) session.tell(reply.notes[0]);
    return null;
  } catch (error) {
    return describeError(error);
  }
}

async function sendUntilFresh(session: StudioSession, uploadId: string, mode: "add" | "replace") {
  let { revision } = session.state.project;
  for (let tries = 1; ; tries++) {
    try {
      return await sendLabels(session.state.project.id, { revision, uploadId, mediaId: session.media?.id ?? null, mode });
    } catch (error) {
      if (!(error instanceof StaleError) || tries >= MOST_TRIES) throw error;
      revision = error.state.revision;
    }
  }
}
