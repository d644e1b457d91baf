import { Download, Plus, Trash2, Upload } from "lucide-react";
import { useRef, useState } from "react";
import type { ClassState } from "../model/document";
import { ontologyFromText, ontologyToText, withNewClass } from "../model/ontology";
import { commandWithKey } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { Button, IconButton } from "../ui/Button";
import { ColorSwatch } from "../ui/ColorSwatch";
import { EditableText } from "../ui/EditableText";
import { saveText } from "./saveFile";

/** The ontology: names, colours and keys. */
export function ClassesPanel() {
  const session = useSession();
  const classes = useStudio((state) => state.project.classes);
  const name = useStudio((state) => state.project.name);
  const [draft, setDraft] = useState("");
  const picker = useRef<HTMLInputElement>(null);
  const put = (next: readonly ClassState[]): void => { session.edit({ kind: "set-classes", classes: next }); };
  const change = (id: number, changes: Partial<ClassState>): void => {
    const freed = (one: ClassState): ClassState =>
      changes.shortcut !== undefined && changes.shortcut !== "" && one.shortcut === changes.shortcut ? { ...one, shortcut: "" } : one;
    put(classes.map((one) => (one.id === id ? { ...one, ...changes } : freed(one))));
  };
  const take = (file: File | undefined): void => {
    if (file === undefined) return;
    void session.attempt(async () => {
      const read = ontologyFromText(await file.text());
      const taken = read.filter((one) => commandWithKey(one.shortcut) !== null);
      put(read.map((one) => (taken.includes(one) ? { ...one, shortcut: "" } : one)));
      if (taken.length > 0) session.tell(`${taken.map((one) => one.name).join(", ")}: the keys are taken by commands; choose others.`);
    });
  };
  const setKey = (id: number, typed: string): void => {
    const key = typed.slice(-1).toLowerCase();
    if (!/^[0-9a-z]?$/.test(key)) return;
    const command = commandWithKey(key);
    if (command === null) change(id, { shortcut: key });
    else session.tell(`${key.toUpperCase()} is the key of “${command.label}”; choose another letter or a digit.`);
  };
  return (
    <div className="classes-panel">
      <p className="panel-hint">
        {classes.length === 0
          ? "Classes say what an object is: person, car, cup. Add some, then press their key to label the selected object."
          : "Press a class's key to label the selected object."}
      </p>
      <ul className="class-list" aria-label="Classes">
        {classes.map((one) => (
          <li key={one.id}>
            <ColorSwatch label={`Colour of class ${one.name}`} color={one.color} onChange={(color) => { change(one.id, { color }); }} />
            <EditableText label={`Name of class ${one.name}`} value={one.name} onChange={(next) => { change(one.id, { name: next }); }} />
            <input
              className="class-key"
              aria-label={`Key of class ${one.name}`}
              value={one.shortcut}
              maxLength={1}
              placeholder="key"
              data-taken={commandWithKey(one.shortcut) !== null}
              onChange={(event) => { setKey(one.id, event.target.value); }}
              onKeyDown={(event) => { event.stopPropagation(); }}
            />
            <IconButton label={`Remove class ${one.name}`} tip="left" onClick={() => { put(classes.filter((other) => other.id !== one.id)); }}>
              <Trash2 size={16} />
            </IconButton>
          </li>
        ))}
      </ul>
      <form
        className="class-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (draft.trim() === "") return;
          put(withNewClass(session.state.project, draft.trim()));
          setDraft("");
        }}
      >
        <input aria-label="New class" placeholder="New class" value={draft} maxLength={255} onChange={(event) => { setDraft(event.target.value); }} onKeyDown={(event) => { event.stopPropagation(); }} />
        <Button type="submit" icon={<Plus size={16} />} disabled={draft.trim() === ""}>
          Add
        </Button>
      </form>
      <div className="class-files">
        <Button look="quiet" icon={<Upload size={16} />} onClick={() => picker.current?.click()}>
          Import list
        </Button>
        <Button look="quiet" icon={<Download size={16} />} disabled={classes.length === 0} onClick={() => { saveText(ontologyToText(classes), `${name} classes.json`); }}>
          Export list
        </Button>
        <input
          ref={picker}
          type="file"
          hidden
          accept=".json,.txt"
          data-testid="ontology-file"
          onChange={(event) => {
            take(event.target.files?.[0]);
            event.target.value = "";
          }}
        />
      </div>
    </div>
  );
}
