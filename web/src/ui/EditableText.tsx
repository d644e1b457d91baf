import { useRef } from "react";

interface EditableTextProps {
  readonly value: string;
  readonly label: string;
  readonly className?: string;
  readonly placeholder?: string;
  readonly isEmptyAllowed?: boolean;
  readonly onChange: (value: string) => void;
}

/** Text that can be changed in place: Enter or leaving keeps it, Escape takes it back. */
export function EditableText({ value, label, className = "", placeholder, isEmptyAllowed = false, onChange }: EditableTextProps) {
  const isCancelled = useRef(false);
  return (
    <input
      className={`editable ${className}`}
      aria-label={label}
      key={value}
      defaultValue={value}
      placeholder={placeholder}
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
        const kept = isCancelled.current || (draft === "" && !isEmptyAllowed) ? value : draft;
        isCancelled.current = false;
        event.currentTarget.value = kept;
        if (kept !== value) onChange(kept);
      }}
    />
  );
}
