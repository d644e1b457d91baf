import { Eye, EyeOff, Lock, LockOpen, Trash2 } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Media, ObjectState } from "../model/document";
import type { ObjectChanges } from "../model/edits";
import { withNewClass } from "../model/ontology";
import { removeObject } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { IconButton } from "../ui/Button";
import { ColorSwatch } from "../ui/ColorSwatch";
import { EditableText } from "../ui/EditableText";
import { ObjectThumb } from "./ObjectThumb";

interface ObjectCardProps {
  readonly media: Media;
  readonly object: ObjectState;
  readonly isSelected: boolean;
}

export function ObjectCard({ media, object, isSelected }: ObjectCardProps) {
  const session = useSession();
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isSelected) element.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const change = (changes: ObjectChanges): void => {
    session.edit({ kind: "change-object", mediaId: media.id, objectId: object.id, changes });
  };
  return (
    <li ref={element} className="object-card" data-selected={isSelected} data-hidden={!object.is_visible}>
      <button type="button" className="card-pick" aria-pressed={isSelected} aria-label={`Select ${object.name}`} onClick={() => { session.select(object.id); }}>
        <ObjectThumb media={media} object={object} />
      </button>
      <div className="card-text">
        <EditableText className="card-name" label={`Name of ${object.name}`} value={object.name} onChange={(name) => { change({ name }); }} />
        <ClassChoice object={object} onChange={(class_id) => { change({ class_id }); }} />
      </div>
      <div className="card-actions">
        <ColorSwatch label={`Colour of ${object.name}`} color={object.color} onChange={(color) => { change({ color }); }} />
        <IconButton label={object.is_visible ? `Hide ${object.name}` : `Show ${object.name}`} tip="left" onClick={() => { change({ is_visible: !object.is_visible }); }}>
          {object.is_visible ? <Eye size={16} /> : <EyeOff size={16} />}
        </IconButton>
        <IconButton label={object.is_locked ? `Unlock ${object.name}` : `Lock ${object.name}`} tip="left" isPressed={object.is_locked} onClick={() => { change({ is_locked: !object.is_locked }); }}>
          {object.is_locked ? <Lock size={16} /> : <LockOpen size={16} />}
        </IconButton>
        <IconButton label={`Remove ${object.name}`} tip="left" disabled={object.is_locked} onClick={() => { removeObject(session, object.id); }}>
          <Trash2 size={16} />
        </IconButton>
      </div>
    </li>
  );
}

interface ClassChoiceProps {
  readonly object: ObjectState;
  readonly onChange: (classId: number | null) => void;
}

function ClassChoice({ object, onChange }: ClassChoiceProps) {
  const session = useSession();
  const classes = useStudio((state) => state.project.classes);
  const known = classes.find((one) => one.id === object.class_id);
  return (
    <span className="class-choice">
      <span className="dot" style={{ background: known?.color ?? "transparent" }} data-empty={known === undefined} />
      <select
        aria-label={`Class of ${object.name}`}
        value={object.class_id ?? ""}
        onChange={({ target }) => {
          if (target.value === "new") {
            const next = withNewClass(session.state.project, `Class ${String(classes.length + 1)}`);
            session.edit({ kind: "set-classes", classes: next });
            onChange(next[next.length - 1].id);
            session.store.set({ panel: "classes" });
          } else onChange(target.value === "" ? null : Number(target.value));
        }}
      >
        <option value="">No class</option>
        {classes.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
            {one.shortcut === "" ? "" : `  (${one.shortcut})`}
          </option>
        ))}
        <option value="new">New class…</option>
      </select>
    </span>
  );
}
