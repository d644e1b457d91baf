import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import type { ClassState } from "../model/document";
import { commandWithKey } from "../session/commands";
import { IconButton } from "../ui/Button";
import { ColorSwatch } from "../ui/ColorSwatch";
import { EditableText } from "../ui/EditableText";

interface ClassRowProps {
  readonly one: ClassState;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly onChange: (changes: Partial<ClassState>) => void;
  readonly onKey: (typed: string) => void;
  readonly onMove: (step: 1 | -1) => void;
  readonly onRemove: () => void;
}

/** One class: colour, name, key, the words it is searched by, and its place. Alt and an arrow move it too. */
export function ClassRow({ one, isFirst, isLast, onChange, onKey, onMove, onRemove }: ClassRowProps) {
  return (
    <li
      className="class-row"
      onKeyDownCapture={(event) => {
        if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
        event.preventDefault();
        event.stopPropagation();
        onMove(event.key === "ArrowUp" ? -1 : 1);
      }}
    >
      <ColorSwatch label={`Colour of class ${one.name}`} color={one.color} onChange={(color) => { onChange({ color }); }} />
      <EditableText label={`Name of class ${one.name}`} value={one.name} onChange={(name) => { onChange({ name }); }} />
      <input
        className="class-key"
        aria-label={`Key of class ${one.name}`}
        value={one.shortcut}
        maxLength={1}
        placeholder="key"
        data-taken={commandWithKey(one.shortcut) !== null}
        onChange={(event) => { onKey(event.target.value); }}
        onKeyDown={(event) => { event.stopPropagation(); }}
      />
      <span className="class-moves">
        <IconButton label={`Move class ${one.name} up`} keys="Alt ↑" tip="left" disabled={isFirst} onClick={() => { onMove(-1); }}>
          <ArrowUp size={14} />
        </IconButton>
        <IconButton label={`Move class ${one.name} down`} keys="Alt ↓" tip="left" disabled={isLast} onClick={() => { onMove(1); }}>
          <ArrowDown size={14} />
        </IconButton>
      </span>
      <IconButton label={`Remove class ${one.name}`} tip="left" onClick={onRemove}>
        <Trash2 size={16} />
      </IconButton>
      <EditableText
        className="class-words"
        label={`Words of class ${one.name}`}
        placeholder={`words, as in puppy . hound`}
        isEmptyAllowed
        value={one.words}
        onChange={(words) => { onChange({ words }); }}
      />
    </li>
  );
}
