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

export function nextClassId(project: Project): number {
  return project.classes.reduce((most, one) => Math.max(most, one.id), 0) + 1;
}

export function isEmptyPrompts(prompts: Prompts): boolean {
  return prompts.clicks.length === 0 && prompts.box == null && prompts.mask == null;
}

/** Colours that can be told apart, also by most people who do not see all colours. */
export const palette: readonly string[] = [
  "#ff5a5f",
  "#2ec4b6",
  "#ffbf3c",
  "#5b8cff",
  "#c77dff",
  "#80d651",
  "#ff8c42",
  "#3ec1f3",
  "#f45b9c",
  "#b0b83b",
];

export function paletteColor(number: number): string {
  return palette[(number - 1 + palette.length) % palette.length];
}
