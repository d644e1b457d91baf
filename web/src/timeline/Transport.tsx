import { ChevronFirst, ChevronLast, Pause, Play, ScanSearch, StepBack, StepForward, TriangleAlert, ZoomIn, ZoomOut } from "lucide-react";
import type { ReactNode } from "react";
import type { Media } from "../model/document";
import { describeDamage, timecode } from "../model/words";
import { commandById, run } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { shownKeys } from "../model/keys";
import { Button, IconButton } from "../ui/Button";
import { isMac } from "../ui/Keys";

interface TransportProps {
  readonly media: Media;
  readonly isZoomed: boolean;
  readonly onZoom: (factor: number) => void;
}

/** Play, step, and where we are. */
export function Transport({ media, isZoomed, onZoom }: TransportProps) {
  const session = useSession();
  const isPlaying = useStudio((state) => state.isPlaying);
  const act = (id: string, icon: ReactNode, className = ""): ReactNode => {
    const command = commandById(id);
    const keys = shownKeys(command.keys[0], isMac).join(" ");
    return (
      <IconButton className={className} label={command.label} keys={keys} tip="top" onClick={() => { run(session, command); }}>
        {icon}
      </IconButton>
    );
  };
  return (
    <div className="transport" role="group" aria-label="Playback">
      <Moment media={media} />
      <div className="transport-buttons">
        {act("first-frame", <ChevronFirst size={18} />, "wide-only")}
        {act("previous-frame", <StepBack size={18} />)}
        {act("play", isPlaying ? <Pause size={20} /> : <Play size={20} />, "play-button")}
        {act("next-frame", <StepForward size={18} />)}
        {act("last-frame", <ChevronLast size={18} />, "wide-only")}
      </div>
      <div className="transport-end">
        <Button
          look="quiet"
          icon={<ScanSearch size={17} />}
          data-tip="Jump to the least certain frame · F"
          data-tip-side="top"
          onClick={() => { session.seekNextToCheck(); }}
        >
          Next to check
        </Button>
        <IconButton label="Zoom the timeline out" tip="top" className="wide-only" disabled={!isZoomed} onClick={() => { onZoom(0.5); }}>
          <ZoomOut size={17} />
        </IconButton>
        <IconButton label="Zoom the timeline in" tip="top" className="wide-only" onClick={() => { onZoom(2); }}>
          <ZoomIn size={17} />
        </IconButton>
      </div>
    </div>
  );
}

function Moment({ media }: { readonly media: Media }) {
  const frame = useStudio((state) => state.frame);
  const time = useStudio((state) => state.timesS[state.frame] ?? 0);
  const damage = describeDamage(media);
  return (
    <div className="transport-time">
      <output aria-label="Time">{timecode(time)}</output>
      <span>
        Frame {frame} <i>/ {media.num_frames - 1}</i>
      </span>
      {damage === null ? null : <TriangleAlert size={15} className="transport-damage" role="img" aria-hidden={false} aria-label={damage} />}
    </div>
  );
}
