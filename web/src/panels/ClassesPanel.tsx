import { Download, Plus, Upload } from "lucide-react";
import { useRef, useState } from "react";
import type { ClassState } from "../model/document";
import { ontologyFromText, ontologyToText, ontologyToYaml, withClassMoved, withNewClass } from "../model/ontology";
import { commandWithKey } from "../session/commands";
import { useSession, useStudio } from "../session/context";
import { Button } from "../ui/Button";
import { Menu } from "../ui/Menu";
import { ClassRow } from "./ClassRow";
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
          : "Press a class's key to label the selected object. Words are what “Find” looks for in place of the name."}
      </p>
      <ul className="class-list" aria-label="Classes">
        {classes.map((one, place) => (
          <ClassRow
            key={one.id}
            one={one}
            isFirst={place === 0}
            isLast={place === classes.length - 1}
            onChange={(changes) => { change(one.id, changes); }}
            onKey={(typed) => { setKey(one.id, typed); }}
            onMove={(step) => { put(withClassMoved(classes, one.id, step)); }}
            onRemove={() => { put(classes.filter((other) => other.id !== one.id)); }}
          />
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
        <Menu
          label="Export list"
          className="button button-quiet"
          icon={<><Download size={16} /> <span>Export list</span></>}
          isDisabled={classes.length === 0}
          items={[
            { label: "Class list", hint: "Names, colours, keys and words, for another project", perform: () => { saveText(ontologyToText(classes), `${name} classes.json`); } },
            { label: "Words and classes", hint: "For masklet label --ontology", perform: () => { saveText(ontologyToYaml(classes), `${name} classes.yaml`); } },
          ]}
        />
        <input
          ref={picker}
          type="file"
          hidden
          accept=".json,.txt,.yaml,.yml"
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
