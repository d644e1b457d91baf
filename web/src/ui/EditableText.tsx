import { useRef } from "react";

interface EditableTextProps {
  readonly value: string;
  readonly label: string;
  readonly className?: string;
  readonly onChange: (value: string) => void;
}

/** Text that can be changed in place: Enter or leaving keeps it, Escape takes it back. */
export function EditableText({ value, label, className = "", onChange }: EditableTextProps) {
  const isCancelled = useRef(false);
  return (
    <input
      className={`editable ${className}`}
      aria-label={label}
      key={value}
      defaultValue={value}
      maxLength={255}
      spellCheck={false}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") {
          isCancelled.current = true;
          event.currentTarget.blur();
        }
      }}
      onBlur={(event) => {
        const draft = event.currentTarget.value.trim();
        const kept = isCancelled.current || draft === "" ? value : draft;
        isCancelled.current = false;
        event.currentTarget.value = kept;
        if (kept !== value) onChange(kept);
      }}
    />
  );
}
