import { ChevronDown, Route, X } from "lucide-react";
import type { Media } from "../model/document";
import { keepsApart, runningTrack } from "../model/state";
import { count, duration } from "../model/words";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { Menu } from "../ui/Menu";

/** The one button that matters: follow the objects through the video. */
export function TrackBar({ media }: { readonly media: Media }) {
  const session = useSession();
  const job = useStudio(runningTrack);
  const isApart = useStudio((state) => keepsApart(state.isApart, media));
  const prompted = media.objects.filter((object) => object.prompts.length > 0);
  if (media.num_frames < 2) return null;
  if (job !== null) {
    const share = job.num_total === 0 ? 0 : job.num_done / job.num_total;
    return (
      <div className="track-bar is-running">
        <div className="track-progress">
          <span className="track-words" role="status">
            {job.status === "waiting" ? "Waiting for the model" : `Frame ${String(job.num_done)} of ${String(job.num_total)}`}
            {job.seconds_left == null || job.num_done === 0 ? "" : ` · ${duration(job.seconds_left)} left`}
          </span>
          <progress value={share} max={1} aria-label="Tracking" />
        </div>
        <Button look="plain" icon={<X size={16} />} onClick={() => void session.cancelTracking()}>
          Cancel
        </Button>
      </div>
    );
  }
  const label = prompted.length > 1 ? `Track ${count(prompted.length, "object")}` : "Track object";
  return (
    <div className="track-bar">
      <Button look="primary" className="track-button" icon={<Route size={18} />} disabled={prompted.length === 0} onClick={() => void session.track("forward")}>
        {label}
      </Button>
      <Menu
        label="Other ways to track"
        className="button button-primary track-more"
        icon={<ChevronDown size={18} />}
        isDisabled={prompted.length === 0}
        items={[
          { label: "Track forward", hint: "From the first prompt to the end", perform: () => void session.track("forward") },
          { label: "Track backward", hint: "From the last prompt to the start", perform: () => void session.track("backward") },
          { label: "Track both ways", hint: "The whole video", perform: () => void session.track("both") },
          {
            label: "Keep objects apart",
            hint: "Where they touch or cross, none takes another's place. On for two objects and more",
            isOn: isApart,
            perform: () => { session.setApart(!isApart); },
          },
        ]}
      />
    </div>
  );
}
