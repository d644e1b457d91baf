import { ArrowRight } from "lucide-react";
import sample from "./sample.jpg";

/** The clip that comes along, one click away. */
export function SampleCard({ onPick }: { readonly onPick: () => void }) {
  return (
    <button type="button" className="sample-card" onClick={onPick}>
      <img src={sample} alt="Three cups and a ball on a table" draggable={false} />
      <span className="sample-words">
        <span>
          <b>Try the sample clip</b>
          <small>Which cup hides the ball? Follow one and see.</small>
        </span>
        <ArrowRight size={20} aria-hidden="true" />
      </span>
    </button>
  );
}
