import { FileUp } from "lucide-react";
import { Stage } from "../canvas/Stage";
import { findMedia } from "../model/document";
import { useSession, useStudio } from "../session/context";
import type { MediaIn } from "../session/mediaIn";
import { Timeline } from "../timeline/Timeline";
import { ExportDialog } from "./files/ExportDialog";
import { ImportDialog } from "./files/ImportDialog";
import { HelpSheet } from "./HelpSheet";
import { FilePicker } from "./home/FilePicker";
import { IncomingList } from "./home/IncomingList";
import { useDrop } from "./home/useDrop";
import { MediaStrip } from "./MediaStrip";
import { Notices } from "./Notices";
import { SidePanel } from "./SidePanel";
import { ToolRail } from "./ToolRail";
import { TopBar } from "./TopBar";
import { useShortcuts } from "./useShortcuts";

interface WorkspaceProps {
  readonly mediaIn: MediaIn;
  readonly onHome: () => void;
  readonly onFiles: (files: readonly File[]) => void;
}

/** A project that is open. */
export function Workspace({ mediaIn, onHome, onFiles }: WorkspaceProps) {
  const session = useSession();
  const media = useStudio((state) => findMedia(state.project, state.mediaId));
  const dialog = useStudio((state) => state.dialog);
  const isDragged = useDrop(onFiles);
  useShortcuts(session);
  return (
    <div className="workspace" data-kind={media?.num_frames === 1 ? "image" : "video"}>
      <TopBar onHome={onHome} onFiles={onFiles} />
      <MediaStrip />
      {media === null ? (
        <main className="empty-project">
          <FileUp size={40} aria-hidden="true" />
          <h2>Nothing in this project yet</h2>
          <p>Drop images or videos here, or choose some.</p>
          <FilePicker onFiles={onFiles} />
        </main>
      ) : (
        <>
          <ToolRail />
          <main className="stage-area">
            <Stage />
          </main>
          <SidePanel media={media} />
          {media.num_frames > 1 ? <Timeline key={media.id} media={media} /> : null}
        </>
      )}
      <IncomingList mediaIn={mediaIn} />
      <Notices />
      {dialog === "help" ? <HelpSheet /> : null}
      {dialog === "export" && media !== null ? <ExportDialog media={media} /> : null}
      {dialog === "import" && media !== null ? <ImportDialog media={media} /> : null}
      {isDragged ? <div className="drop-veil">Drop to add to this project</div> : null}
    </div>
  );
}
