/**
 * Everything that changes a project, as data. An edit says what is meant, not what the result is: it is applied to the
 * project at once, and again to the newer one when another page was quicker, so that no one's work is lost. The server
 * keeps what is needed to take it back.
 */
import { imagePoint, type ImagePoint } from "../geometry/points";
import type { Box } from "../geometry/box";
import {
  findObject,
  isEmptyPrompts,
  nextObjectId,
  noPrompts,
  paletteColor,
  promptsAt,
  type ClassState,
  type Media,
  type ObjectState,
  type Project,
  type Prompts,
} from "./document";
import { classNamed, withClassesNamed } from "./ontology";
import { count } from "./words";

interface OnObject {
  readonly mediaId: string;
  readonly objectId: number;
}

interface OnFrame extends OnObject {
  readonly frame: number;
  /** Whether it makes the object. */
  readonly isNew?: boolean;
}

export type ObjectChanges = Partial<
  Pick<ObjectState, "name" | "color" | "class_id" | "is_visible" | "is_locked">
>;

/** Name and class of an object that an edit makes. */
interface Look {
  readonly name: string;
  readonly classId: number | null;
}

/** A mask that becomes an object; its label, unless it is "", becomes the object's class. */
export interface Taken {
  readonly size: readonly [number, number];
  readonly counts: string;
  readonly label: string;
}

interface TakeObjects {
  readonly kind: "take-objects";
  readonly mediaId: string;
  readonly frame: number;
  readonly taken: readonly Taken[];
  /** The id under which the first one is shown before the server has answered. */
  readonly firstId: number;
}

export type Edit =
  | (OnFrame & { readonly kind: "add-click"; readonly point: ImagePoint; readonly isPositive: boolean; readonly base?: NonNullable<Prompts["mask"]> })
  | (OnFrame & { readonly kind: "remove-click"; readonly point: ImagePoint })
  | (OnFrame & { readonly kind: "move-click"; readonly from: ImagePoint; readonly to: ImagePoint })
  | (OnFrame & { readonly kind: "set-box"; readonly box: Box })
  | (OnFrame & { readonly kind: "set-mask"; readonly size: readonly [number, number]; readonly counts: string })
  | (OnFrame & { readonly kind: "clear-frame" })
  | TakeObjects
  | (OnObject & { readonly kind: "change-object"; readonly changes: ObjectChanges })
  | (OnObject & { readonly kind: "remove-object" })
  | (OnObject & { readonly kind: "accept-object"; readonly isAccepted: boolean })
  | { readonly kind: "set-classes"; readonly classes: readonly ClassState[] };

/** What an edit is called in "Undo ..." */
export function nameOf(edit: Edit): string {
  switch (edit.kind) {
    case "add-click":
      return edit.isPositive ? "add a point" : "take away at a point";
    case "remove-click":
      return "delete a point";
    case "move-click":
      return "move a point";
    case "set-box":
      return "draw a box";
    case "set-mask":
      return "paint the mask";
    case "clear-frame":
      return "clear the frame";
    case "take-objects":
      return `take ${count(edit.taken.length, "object")}`;
    case "change-object":
      return nameOfChange(edit.changes);
    case "remove-object":
      return "remove the object";
    case "accept-object":
      return edit.isAccepted ? "accept the object" : "take back the acceptance";
    case "set-classes":
      return "change the classes";
  }
}

function nameOfChange(changes: ObjectChanges): string {
  if (changes.name !== undefined) return "rename";
  if (changes.color !== undefined) return "change the colour";
  if (changes.class_id !== undefined) return "set the class";
  if (changes.is_locked !== undefined) return changes.is_locked ? "lock" : "unlock";
  return changes.is_visible === false ? "hide" : "show";
}

/** Whether an edit changes masks, so that it can take a moment. */
export function concernsMasks(edit: { readonly kind: string }): boolean {
  return edit.kind !== "change-object" && edit.kind !== "set-classes" && edit.kind !== "accept-object";
}

/** What is said of the object on the frame after an edit; null when the edit is not about that or changes nothing. */
export function promptsAfter(project: Project, edit: Edit): Prompts | null {
  if (!("frame" in edit) || edit.kind === "take-objects") return null;
  const media = project.media.find((one) => one.id === edit.mediaId);
  if (media === undefined) return null;
  const known = promptsAt(media, edit.objectId, edit.frame) ?? noPrompts;
  switch (edit.kind) {
    case "add-click":
      return {
        ...known,
        mask: isEmptyPrompts(known) ? (edit.base ?? null) : (known.mask ?? null),
        clicks: [...known.clicks, [edit.point.x, edit.point.y, edit.isPositive]],
      };
    case "remove-click":
      return { ...known, clicks: known.clicks.filter((click) => !isAt(click, edit.point)) };
    case "move-click":
      return {
        ...known,
        clicks: known.clicks.map((click) =>
          isAt(click, edit.from) ? ([edit.to.x, edit.to.y, click[2]] as const) : click,
        ),
      };
    case "set-box":
      return { clicks: [], box: edit.box, mask: null };
    case "set-mask":
      return { clicks: [], box: null, mask: { size: edit.size, counts: edit.counts } };
    case "clear-frame":
      return noPrompts;
  }
}

export function isAt(click: readonly [number, number, boolean], point: ImagePoint): boolean {
  return Math.abs(click[0] - point.x) < 1e-6 && Math.abs(click[1] - point.y) < 1e-6;
}

/** The project after an edit, before the server has said so. */
export function applyEdit(project: Project, edit: Edit): Project {
  switch (edit.kind) {
    case "set-classes": {
      const kept = new Set(edit.classes.map((one) => one.id));
      const free = (object: ObjectState): ObjectState =>
        object.class_id === null || kept.has(object.class_id) ? object : { ...object, class_id: null };
      const media = project.media.map((one) => ({ ...one, objects: one.objects.map(free) }));
      return { ...project, classes: [...edit.classes], media };
    }
    case "take-objects": {
      const { classes, objects } = takenObjects(project, edit);
      const added = classes === null ? project : { ...project, classes };
      return withMedia(added, edit.mediaId, (media) => ({ ...media, objects: [...media.objects, ...objects] }));
    }
    case "accept-object": // the review knows of it, not the project
      return project;
    case "change-object":
      return withObject(project, edit, (object) => ({ ...object, ...edit.changes }));
    case "remove-object":
      return withMedia(project, edit.mediaId, (media) => ({
        ...media,
        objects: media.objects.filter((object) => object.id !== edit.objectId),
      }));
    default:
      return withPrompts(project, edit, promptsAfter(project, edit));
  }
}

/** The objects that an edit makes of masks, and the class list when it grows by their labels. */
export function takenObjects(project: Project, edit: TakeObjects): { classes: ClassState[] | null; objects: ObjectState[] } {
  const media = project.media.find((one) => one.id === edit.mediaId);
  if (media === undefined) return { classes: null, objects: [] };
  const classes = withClassesNamed(project, edit.taken.map((one) => one.label));
  const known = { classes: classes ?? project.classes };
  const objects: ObjectState[] = [];
  for (const { size, counts, label } of edit.taken) {
    const its = classNamed(known, label);
    const number = 1 + [...media.objects, ...objects].filter((one) => one.class_id === its?.id).length;
    const look = its === null ? undefined : { name: `${its.name} ${String(number)}`, classId: its.id };
    const made = newObject(nextObjectId(media) + objects.length, look);
    objects.push({ ...made, prompts: [{ clicks: [], box: null, mask: { size, counts }, frame: edit.frame }] });
  }
  return { classes, objects };
}

function withPrompts(project: Project, edit: OnFrame, prompts: Prompts | null): Project {
  if (prompts === null) return project;
  const added = withMedia(project, edit.mediaId, (media) =>
    findObject(media, edit.objectId) === null && !isEmptyPrompts(prompts)
      ? { ...media, objects: [...media.objects, newObject(edit.objectId)] }
      : media,
  );
  return withObject(added, edit, (object) => {
    const others = object.prompts.filter((one) => one.frame !== edit.frame);
    const said = isEmptyPrompts(prompts) ? others : [...others, { ...prompts, frame: edit.frame }];
    return { ...object, prompts: said.sort((a, b) => a.frame - b.frame) };
  });
}

function newObject(id: number, look?: Look): ObjectState {
  return {
    id,
    name: look?.name ?? `Object ${String(id)}`,
    color: paletteColor(id),
    class_id: look?.classId ?? null,
    is_visible: true,
    is_locked: false,
    prompts: [],
  };
}

function withMedia(project: Project, mediaId: string, change: (media: Media) => Media): Project {
  return { ...project, media: project.media.map((one) => (one.id === mediaId ? change(one) : one)) };
}

function withObject(project: Project, edit: OnObject, change: (object: ObjectState) => ObjectState): Project {
  return withMedia(project, edit.mediaId, (media) => ({
    ...media,
    objects: media.objects.map((object) => (object.id === edit.objectId ? change(object) : object)),
  }));
}

/** Whether an edit still makes sense on a project that another page has changed. */
export function stillApplies(project: Project, edit: Edit): boolean {
  if (edit.kind === "set-classes") return true;
  const media = project.media.find((one) => one.id === edit.mediaId);
  if (media === undefined) return false;
  if (edit.kind === "take-objects") return true;
  const object = findObject(media, edit.objectId);
  if (edit.kind === "change-object" || edit.kind === "remove-object" || edit.kind === "accept-object") return object !== null;
  if (object?.is_locked === true) return false;
  if (edit.kind === "remove-click" || edit.kind === "move-click") {
    const point = edit.kind === "move-click" ? edit.from : edit.point;
    const known = promptsAt(media, edit.objectId, edit.frame);
    return known?.clicks.some((click) => isAt(click, imagePoint(point.x, point.y))) === true;
  }
  return edit.kind !== "clear-frame" || promptsAt(media, edit.objectId, edit.frame) !== null;
}
