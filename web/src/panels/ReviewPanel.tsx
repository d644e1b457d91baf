import { Check, CheckCheck, SkipForward } from "lucide-react";
import { useEffect } from "react";
import { findMedia } from "../model/document";
import { doubtOf, keyOf, type ReviewEntry } from "../model/review";
import { count } from "../model/words";
import { acceptCurrent, acceptEntry, loadQueue, openEntry, openNextEntry } from "../session/reviewing";
import { useSession, useStudio } from "../session/context";
import { Button, IconButton } from "../ui/Button";

const DOUBTS = { high: "the model doubts it", middle: "the model is unsure", low: "the model is sure" };

/** Objects with their least certain frame, to accept or to correct, one after the other. */
export function ReviewPanel() {
  const session = useSession();
  const { entries, current } = useStudio((state) => state.review);
  const revision = useStudio((state) => state.project.revision);
  const numDone = useStudio((state) => state.jobs.filter((job) => job.status === "done").length);
  const numMedia = useStudio((state) => state.project.media.length);
  useEffect(() => {
    const timer = setTimeout(() => void loadQueue(session), 250);
    return () => { clearTimeout(timer); };
  }, [session, revision, numDone]);
  if (entries === null) return <p className="panel-hint" role="status">Looking through what is there.</p>;
  if (entries.length === 0) {
    return (
      <div className="review-empty">
        <CheckCheck size={28} aria-hidden="true" />
        <b>Nothing to review yet</b>
        <p>
          Click and track objects, or bring labels in with “Import labels”. Then everything is listed here, the most doubtful first, so that you look at
          what is likely wrong and skip what is not.
        </p>
        <p>
          <code>masklet label</code> labels whole folders; <code>masklet studio</code> with its folder opens them here.
        </p>
      </div>
    );
  }
  const numAccepted = entries.filter((one) => one.is_accepted).length;
  return (
    <div className="review">
      <div className="review-head">
        <p className="panel-hint" role="status">
          {numAccepted} of {count(entries.length, "object")} accepted
        </p>
        <progress value={numAccepted} max={entries.length} aria-label="Accepted" />
      </div>
      <ul className="review-list" aria-label="Review queue">
        {entries.map((one) => (
          <Entry key={keyOf(one)} entry={one} isCurrent={keyOf(one) === current} isNamed={numMedia > 1} />
        ))}
      </ul>
      <div className="review-actions">
        <Button icon={<SkipForward size={16} />} onClick={() => { openNextEntry(session); }} title="J">
          Next
        </Button>
        <Button look="primary" icon={<Check size={16} />} disabled={current === null} onClick={() => { acceptCurrent(session); }} title="Y">
          Accept and next
        </Button>
      </div>
    </div>
  );
}

interface EntryProps {
  readonly entry: ReviewEntry;
  readonly isCurrent: boolean;
  readonly isNamed: boolean;
}

function Entry({ entry, isCurrent, isNamed }: EntryProps) {
  const session = useSession();
  const doubt = doubtOf(entry.uncertainty);
  const why = entry.reasons.length > 0 ? entry.reasons.join(", ") : DOUBTS[doubt];
  const isVideo = useStudio((state) => (findMedia(state.project, entry.media_id)?.num_frames ?? 1) > 1);
  const place = [...(isNamed ? [entry.media_name] : []), ...(isVideo ? [`frame ${String(entry.frame)}`] : [])].join(" · ");
  return (
    <li className="review-entry" data-current={isCurrent} data-accepted={entry.is_accepted}>
      <button type="button" className="review-open" aria-current={isCurrent} onClick={() => { openEntry(session, entry); }}>
        <span className={`doubt doubt-${doubt}`} aria-hidden="true" />
        <span className="review-words">
          <b>{entry.name}</b>
          {entry.label === "" ? null : <i>{entry.label}</i>}
          {place === "" ? null : <small>{place}</small>}
          <small>{entry.is_accepted ? "accepted" : why}</small>
        </span>
      </button>
      <IconButton
        label={entry.is_accepted ? `Take back the acceptance of ${entry.name}` : `Accept ${entry.name}`}
        tip="left"
        isPressed={entry.is_accepted}
        onClick={() => { acceptEntry(session, entry, !entry.is_accepted); }}
      >
        <Check size={16} />
      </IconButton>
    </li>
  );
}
