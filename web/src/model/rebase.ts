/** Edits that were made on a project which another page has changed meanwhile: both pages keep what they made. */
import { findMedia, findObject, nextClassId, nextObjectId, type ClassState, type Project } from "./document";
import type { Edit } from "./edits";

export interface Rebased {
  readonly edit: Edit;
  /** What became of a new object whose id another page was given first. */
  readonly moved: { readonly mediaId: string; readonly from: number; readonly to: number } | null;
  /** The edits that follow it speak of the same things by their new ids. */
  readonly later: (edit: Edit) => Edit;
}

const same = (edit: Edit): Edit => edit;

/** The edit as it is meant on the newer project; `before` is the one that it was made on. */
export function rebased(before: Project, known: Project, edit: Edit): Rebased {
  if (edit.kind === "set-classes") return rebasedClasses(before, known, edit);
  if (!("isNew" in edit) || edit.isNew !== true) return { edit, moved: null, later: same };
  const { mediaId, objectId } = edit;
  const media = findMedia(known, mediaId);
  if (media === null || findObject(media, objectId) === null) return { edit, moved: null, later: same };
  const to = nextObjectId(media);
  const later = (one: Edit): Edit =>
    "objectId" in one && one.mediaId === mediaId && one.objectId === objectId ? { ...one, objectId: to } : one;
  return { edit: later(edit), moved: { mediaId, from: objectId, to }, later };
}

/** Their classes with what this page added, changed and removed. */
function rebasedClasses(before: Project, known: Project, edit: Extract<Edit, { kind: "set-classes" }>): Rebased {
  const old = byId(before.classes);
  const theirs = byId(known.classes);
  const ids = new Map<number, number>();
  const classes: ClassState[] = [];
  for (const one of edit.classes) {
    const was = old.get(one.id);
    const now = theirs.get(one.id);
    if (was === undefined) {
      const twin = known.classes.find((other) => !old.has(other.id) && other.name === one.name);
      if (twin !== undefined) ids.set(one.id, twin.id);
      else classes.push(now === undefined ? one : { ...one, id: fresh([...known.classes, ...edit.classes, ...classes]) });
      if (twin === undefined && now !== undefined) ids.set(one.id, classes[classes.length - 1].id);
    } else if (now !== undefined) {
      classes.push(isSame(one, was) ? now : one);
    }
  }
  const added = known.classes.filter((one) => !old.has(one.id));
  const later = (one: Edit): Edit => {
    if (one.kind !== "change-object" || one.changes.class_id == null) return one;
    return { ...one, changes: { ...one.changes, class_id: ids.get(one.changes.class_id) ?? one.changes.class_id } };
  };
  return { edit: { ...edit, classes: withOwnKeys([...classes, ...added]) }, moved: null, later };
}

function byId(classes: readonly ClassState[]): Map<number, ClassState> {
  return new Map(classes.map((one) => [one.id, one]));
}

function fresh(classes: readonly ClassState[]): number {
  return nextClassId({ classes: [...classes] });
}

function isSame(one: ClassState, other: ClassState): boolean {
  return one.name === other.name && one.color === other.color && one.shortcut === other.shortcut && one.words === other.words;
}

/** A key means one class: the first that has it keeps it. */
function withOwnKeys(classes: readonly ClassState[]): ClassState[] {
  const used = new Set<string>();
  return classes.map((one) => {
    const isTaken = one.shortcut !== "" && used.has(one.shortcut);
    used.add(one.shortcut);
    return isTaken ? { ...one, shortcut: "" } : one;
  });
}
