import { Dices, RotateCcw } from "lucide-react";
import { useState } from "react";
import { catalogue, originalSettings, surpriseMe } from "../effects";
import type { Media } from "../model/document";
import { choiceOf, isOriginal, withChoice, type Side } from "../model/effectChoices";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { EffectPicker } from "./EffectPicker";

/** What becomes of background and objects; the picture shows it at once. */
export function EffectsPanel({ media }: { readonly media: Media }) {
  const session = useSession();
  const effects = useStudio((state) => state.effects);
  const selectedId = useStudio((state) => state.selectedId);
  const [side, setSide] = useState<Side>("background");
  const [isForOne, setForOne] = useState(false);
  const selected = media.objects.find((one) => one.id === selectedId);
  const objectId = side === "objects" && isForOne && selected !== undefined ? selected.id : null;
  return (
    <div className="effects-panel">
      <div className="effects-top">
        <Button look="plain" icon={<Dices size={17} />} onClick={() => { session.setEffects(surpriseMe()); }}>
          Surprise me
        </Button>
        <Button look="quiet" icon={<RotateCcw size={16} />} disabled={isOriginal(effects)} onClick={() => { session.setEffects(originalSettings); }}>
          Start over
        </Button>
      </div>
      <div className="segments" role="group" aria-label="What the effect is for">
        <button type="button" aria-pressed={side === "background"} onClick={() => { setSide("background"); }}>
          Background
        </button>
        <button type="button" aria-pressed={side === "objects"} onClick={() => { setSide("objects"); }}>
          Objects
        </button>
      </div>
      {side === "objects" && selected !== undefined ? (
        <label className="effect-one">
          <input type="checkbox" checked={isForOne} onChange={(event) => { setForOne(event.target.checked); }} />
          Only {selected.name}
        </label>
      ) : null}
      <EffectPicker
        key={`${side} ${String(objectId)}`}
        entries={side === "background" ? catalogue.backgrounds : catalogue.objects}
        choice={choiceOf(effects, side, objectId)}
        onChange={(choice) => { session.setEffects(withChoice(effects, side, objectId, choice)); }}
      />
      {media.objects.length === 0 ? <p className="panel-hint">Click an object first: effects treat it and what is behind it differently.</p> : null}
    </div>
  );
}
