import { useEffect, useRef, useState } from "react";

interface EditableTextProps {
  readonly value: string;
  readonly label: string;
  readonly className?: string;
  readonly onChange: (value: string) => void;
}

/** Text that can be changed in place: Enter or leaving keeps it, Escape takes it back. */
export function EditableText({ value, label, className = "", onChange }: EditableTextProps) {
  const [draft, setDraft] = useState(value);
  const isCancelled = useRef(false);
  useEffect(() => { setDraft(value); }, [value]);
  return (
    <input
      className={`editable ${className}`}
      aria-label={label}
      value={draft}
      maxLength={255}
      spellCheck={false}
      onChange={(event) => { setDraft(event.target.value); }}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          isCancelled.current = true;
          event.currentTarget.blur();
        }
      }}
      onBlur={() => {
        const kept = isCancelled.current || draft.trim() === "" ? value : draft.trim();
        isCancelled.current = false;
        setDraft(kept);
        if (kept !== value) onChange(kept);
      }}
    />
  );
}
