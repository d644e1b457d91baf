import { ArrowDownWideNarrow, Circle, Contrast, Droplets, Eraser, Grid3x3, Image, Lightbulb, Rainbow, Smile, Sparkle, SquareDashed, Type } from "lucide-react";
import { useId, type ReactNode } from "react";
import { valuesOf, type EffectChoice, type EffectEntry, type ParameterEntry, type Value } from "../effects";

interface EffectPickerProps {
  readonly entries: readonly EffectEntry[];
  readonly choice: EffectChoice;
  readonly onChange: (choice: EffectChoice) => void;
}

const icons: Readonly<Record<string, ReactNode>> = {
  original: <Image size={20} />,
  erase: <Eraser size={20} />,
  gradient: <Rainbow size={20} />,
  pixelate: <Grid3x3 size={20} />,
  desaturate: <Contrast size={20} />,
  text: <Type size={20} />,
  blur: <Droplets size={20} />,
  outline: <SquareDashed size={20} />,
  overlay: <Circle size={20} />,
  emoji: <Smile size={20} />,
  burst: <Sparkle size={20} />,
  spotlight: <Lightbulb size={20} />,
};

/** Eight effects, the variants of the chosen one, and its settings. */
export function EffectPicker({ entries, choice, onChange }: EffectPickerProps) {
  const effect = entries.find((entry) => entry.id === choice.name) ?? entries[0];
  const variant = choice.variant === undefined || choice.variant === "" ? effect.variants[0].id : choice.variant;
  const values = valuesOf(entries, choice);
  return (
    <>
      <div className="effect-grid" role="group" aria-label="Effect">
        {entries.map((entry) => (
          <button
            key={entry.id}
            type="button"
            aria-pressed={entry.id === effect.id}
            onClick={() => { onChange({ name: entry.id, variant: "", changes: {} }); }}
          >
            {icons[entry.id] ?? <ArrowDownWideNarrow size={20} />}
            <span>{entry.label}</span>
          </button>
        ))}
      </div>
      <div className="variant-row" role="group" aria-label={`Variants of ${effect.label}`}>
        {effect.variants.map((one) => (
          <button key={one.id} type="button" aria-pressed={one.id === variant} onClick={() => { onChange({ name: effect.id, variant: one.id, changes: {} }); }}>
            {one.label}
          </button>
        ))}
      </div>
      <div className="effect-values">
        {effect.parameters.map((parameter) => (
          <ParameterRow
            key={parameter.id}
            parameter={parameter}
            value={values[parameter.id]}
            onChange={(value) => { onChange({ name: effect.id, variant, changes: { ...choice.changes, [parameter.id]: value } }); }}
          />
        ))}
      </div>
    </>
  );
}

interface ParameterRowProps {
  readonly parameter: ParameterEntry;
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

function ParameterRow({ parameter, value, onChange }: ParameterRowProps) {
  const id = useId();
  return (
    <div className="parameter">
      <label htmlFor={id}>{parameter.label}</label>
      {parameter.kind === "whole" ? (
        <>
          <input id={id} type="range" min={parameter.least} max={parameter.most} value={Number(value)} onChange={(event) => { onChange(Number(event.target.value)); }} />
          <output htmlFor={id}>{value}</output>
        </>
      ) : parameter.kind === "color" ? (
        <input id={id} type="color" value={value === "auto" ? "#ffffff" : String(value)} onChange={(event) => { onChange(event.target.value); }} />
      ) : parameter.kind === "option" ? (
        <select id={id} value={String(value)} onChange={(event) => { onChange(event.target.value); }}>
          {parameter.options.map((option) => (
            <option key={option} value={option}>{option}</option>
          ))}
        </select>
      ) : (
        <input id={id} type="text" maxLength={24} defaultValue={String(value)} onKeyDown={(event) => { event.stopPropagation(); }} onBlur={(event) => { if (event.target.value !== "" && event.target.value !== value) onChange(event.target.value.toUpperCase()); }} />
      )}
    </div>
  );
}
