import { useEffect, useRef } from "react";

interface ColorSwatchProps {
  readonly label: string;
  readonly color: string;
  readonly onChange: (color: string) => void;
}

/** A colour that can be changed; it counts when the browser's picker is done, not at every step on the way. */
export function ColorSwatch({ label, color, onChange }: ColorSwatchProps) {
  const input = useRef<HTMLInputElement>(null);
  const shown = useRef<HTMLLabelElement>(null);
  useEffect(() => {
    const element = input.current;
    if (element === null) return;
    const take = (): void => { if (element.value !== color) onChange(element.value); };
    element.addEventListener("change", take); // React's onChange is the browser's "input"
    return () => { element.removeEventListener("change", take); };
  }, [color, onChange]);
  return (
    <label ref={shown} className="swatch" style={{ background: color }}>
      <input
        ref={input}
        type="color"
        aria-label={label}
        key={color}
        defaultValue={color}
        onInput={(event) => { if (shown.current !== null) shown.current.style.background = event.currentTarget.value; }}
      />
    </label>
  );
}
