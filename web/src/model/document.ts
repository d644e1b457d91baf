import { catalogue } from "../effects";
import type { components } from "../wire/schema";

type Schemas = components["schemas"];

export type Project = Schemas["ProjectState"];
export type ListedProject = Schemas["ListedProject"];
export type Media = Schemas["MediaState"];
export type ObjectState = Schemas["ObjectState"];
export type FramePrompts = Schemas["FramePrompts"];
export type ClassState = Schemas["ClassState"];
export type Job = Schemas["JobState"];
export type Click = readonly [number, number, boolean];
/** What is said of an object on a frame; a mask in COCO's text form. */
export type Prompts = Pick<FramePrompts, "clicks" | "box" | "mask">;

export const noPrompts: Prompts = { clicks: [], box: null, mask: null };

export function findMedia(project: Project, mediaId: string | null): Media | null {
  return project.media.find((media) => media.id === mediaId) ?? null;
}

export function findObject(media: Media, objectId: number | null): ObjectState | null {
  return media.objects.find((object) => object.id === objectId) ?? null;
}

export function promptsAt(media: Media, objectId: number, frame: number): Prompts | null {
  const object = findObject(media, objectId);
  return object?.prompts.find((prompts) => prompts.frame === frame) ?? null;
}

export function nextObjectId(media: Media): number {
  return media.objects.reduce((most, object) => Math.max(most, object.id), 0) + 1;
}

export function nextClassId(project: Pick<Project, "classes">): number {
  return project.classes.reduce((most, one) => Math.max(most, one.id), 0) + 1;
}

export function isEmptyPrompts(prompts: Prompts): boolean {
  return prompts.clicks.length === 0 && prompts.box == null && prompts.mask == null;
}

const hex = (color: readonly number[]): string => `#${color.map((level) => level.toString(16).padStart(2, "0")).join("")}`;

/** The colours that the server gives to objects; those that come first can be told apart by most people. */
export const palette: readonly string[] = catalogue.object_colors.map(hex);

export function paletteColor(number: number): string {
  return palette[(number - 1 + palette.length) % palette.length];
}
