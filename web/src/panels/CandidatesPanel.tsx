import { Check, Combine, LoaderCircle, SquaresSubtract, Trash2 } from "lucide-react";
import { areaOf } from "../masks/runs";
import type { Media } from "../model/document";
import { count } from "../model/words";
import { acceptCandidates, combineCandidates, rejectCandidates, toggleCandidate } from "../session/candidates";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { CutOut } from "./ObjectThumb";

const SEARCHING = {
  everything: "Looking for everything on this frame. This takes a few seconds.",
  words: "Looking for what you said.",
  similar: "Looking for what is like it. This takes a few seconds.",
};
const HINTS = {
  everything: "Click those you want, on the picture or here.",
  words: "Leave out what is wrong with a click, on the picture or here.",
  similar: "Leave out what is wrong with a click, on the picture or here.",
};

/** What a search found, to take or to leave. */
export function CandidatesPanel({ media }: { readonly media: Media }) {
  const session = useSession();
  const candidates = useStudio((state) => state.candidates);
  const frame = useStudio((state) => state.frame);
  if (candidates === null) return null;
  const { status, list, chosen, hovered } = candidates;
  const hover = (place: number | null): void => { session.store.set({ candidates: { ...candidates, hovered: place } }); };
  if (status === "searching") {
    return (
      <p className="candidates-wait" role="status">
        <LoaderCircle size={20} className="spin" aria-hidden="true" />
        {SEARCHING[candidates.source]}
      </p>
    );
  }
  const size = list[0] === undefined ? 1 : list[0].mask.width * list[0].mask.height;
  return (
    <div className="candidates">
      <p className="panel-hint">{count(list.length, "candidate")}. {HINTS[candidates.source]}</p>
      <ul className="candidate-list" aria-label="Candidates">
        {list.map((one, place) => (
          <li key={one.counts}>
            <button
              type="button"
              aria-pressed={chosen.includes(place)}
              data-hovered={hovered === place}
              onPointerEnter={() => { hover(place); }}
              onPointerLeave={() => { hover(null); }}
              onFocus={() => { hover(place); }}
              onBlur={() => { hover(null); }}
              onClick={() => { toggleCandidate(session, place); }}
            >
              <CutOut media={media} frame={frame} mask={one.mask} color={one.color} />
              <span>{one.label === "" ? `Candidate ${String(place + 1)}` : one.label}</span>
              <small>
                {candidates.source === "words" ? `${String(Math.round(100 * one.score))} % sure` : `${((100 * areaOf(one.mask)) / size).toFixed(1)} % of picture`}
              </small>
              {chosen.includes(place) ? <Check size={16} aria-hidden="true" /> : null}
            </button>
          </li>
        ))}
      </ul>
      <div className="candidate-actions">
        <Button icon={<Combine size={16} />} disabled={chosen.length < 2} onClick={() => { combineCandidates(session, "merge"); }}>
          Merge
        </Button>
        <Button icon={<SquaresSubtract size={16} />} disabled={chosen.length < 2} onClick={() => { combineCandidates(session, "subtract"); }}>
          Subtract
        </Button>
        <Button icon={<Trash2 size={16} />} disabled={chosen.length === 0} onClick={() => { rejectCandidates(session); }}>
          Reject
        </Button>
        <Button look="quiet" onClick={() => { session.store.set({ candidates: null }); }}>
          Cancel
        </Button>
        <Button look="primary" className="accept" disabled={chosen.length === 0} onClick={() => { acceptCandidates(session); }}>
          {chosen.length === 0 ? "Take as objects" : `Take ${count(chosen.length, "object")}`}
        </Button>
      </div>
    </div>
  );
}
