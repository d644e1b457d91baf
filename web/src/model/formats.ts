/** What can be exported, in the words of a person who looks for it. */
import type { components } from "../wire/schema";

export type FormatName = components["schemas"]["FormatState"]["name"];

interface About {
  readonly name: string;
  readonly text: string;
  readonly ending: string;
  /** One file holds one video or image. */
  readonly isSingle?: boolean;
  /** The pictures can go beside the labels. */
  readonly hasPictures?: boolean;
  /** It can be imported too. */
  readonly isReadable: boolean;
}

/** Every format of labels; a new one is missed here by the compiler. */
export const formats: Readonly<Record<FormatName, About>> = {
  coco: { name: "COCO", text: "One JSON with exact masks, boxes and classes: what most training code reads.", ending: "json", isReadable: true },
  "coco-polygon": { name: "COCO with polygons", text: "The same with outlines, for tools that know no run lengths.", ending: "json", isReadable: true },
  yolo: { name: "YOLO", text: "Text files with outlines and a data.yaml, ready to train.", ending: "zip", hasPictures: true, isReadable: true },
  voc: { name: "Pascal VOC", text: "An XML file and two indexed pictures for each frame.", ending: "zip", hasPictures: true, isReadable: true },
  davis: { name: "PNG masks", text: "One picture per frame, each object its own colour, as DAVIS has it.", ending: "zip", isReadable: true },
  png: { name: "PNG per object", text: "One black and white picture per object and frame; masks may overlap.", ending: "zip", isReadable: true },
  "coco-video": { name: "COCO video", text: "JSON of whole tracks, as YouTube-VIS and OVIS have it.", ending: "json", isReadable: true },
  sav: { name: "SA-V", text: "JSON of every fourth frame, as SAM 2's own data set has it.", ending: "zip", isReadable: true },
  mots: { name: "MOTS", text: "Text files of tracks without overlaps, for multi-object tracking.", ending: "zip", isReadable: true },
  "cvat-video": { name: "CVAT, video", text: "XML with tracks, to go on in CVAT.", ending: "xml", isSingle: true, isReadable: true },
  "cvat-images": { name: "CVAT, images", text: "XML with shapes of single images.", ending: "xml", isReadable: true },
  "label-studio": { name: "Label Studio", text: "JSON with brush regions, to go on in Label Studio.", ending: "json", isReadable: true },
  labelme: { name: "LabelMe", text: "One JSON for each image, to go on in LabelMe.", ending: "zip", hasPictures: true, isReadable: true },
  gif: { name: "GIF", text: "A small moving picture with the masks, for a page or a message.", ending: "gif", isSingle: true, isReadable: false },
  "alpha-prores": { name: "ProRes with transparency", text: "The objects cut out, for Premiere, Resolve and Final Cut.", ending: "mov", isSingle: true, isReadable: false },
  "alpha-vp9": { name: "WebM with transparency", text: "The objects cut out, small, for web pages.", ending: "webm", isSingle: true, isReadable: false },
  "alpha-ffv1": { name: "Lossless with transparency", text: "The objects cut out without any loss, in Matroska.", ending: "mkv", isSingle: true, isReadable: false },
  cutouts: { name: "Cut-outs", text: "Each object on each frame as its own transparent PNG.", ending: "zip", isReadable: false },
  csv: { name: "Table", text: "CSV with box, area and centre of every object on every frame.", ending: "csv", isReadable: false },
  masklet: { name: "masklet document", text: "Tracks, classes and prompts as JSON, for masklet's commands.", ending: "json", isReadable: true },
};

export type ExportKind = components["schemas"]["NewExport"]["kind"];

export interface ExportChoice {
  readonly id: string;
  readonly kind: ExportKind;
  readonly format: FormatName | null;
  readonly about: About;
}

export interface ExportGroup {
  readonly title: string;
  readonly choices: readonly ExportChoice[];
}

function labels(format: FormatName): ExportChoice {
  return { id: format, kind: "labels", format, about: formats[format] };
}

function other(kind: Exclude<ExportKind, "labels">, name: string, text: string, ending: string): ExportChoice {
  return { id: kind, kind, format: null, about: { name, text, ending, isSingle: kind !== "project", isReadable: kind === "project" } };
}

export const exportGroups: readonly ExportGroup[] = [
  {
    title: "To watch and to show",
    choices: [
      other("overlay", "Video with masks", "MP4 with every object in its colour.", "mp4"),
      other("effects", "Video with effects", "MP4 as the Effects tab shows it.", "mp4"),
      labels("gif"),
    ],
  },
  { title: "To edit with", choices: (["alpha-prores", "alpha-vp9", "alpha-ffv1", "cutouts"] as const).map(labels) },
  {
    title: "To train with",
    choices: (["coco", "yolo", "davis", "voc", "coco-polygon", "coco-video", "sav", "mots", "png"] as const).map(labels),
  },
  { title: "To go on elsewhere", choices: (["cvat-video", "cvat-images", "label-studio", "labelme"] as const).map(labels) },
  {
    title: "To keep and to count",
    choices: [other("project", "masklet project", "Everything with its media, to go on elsewhere or to keep.", "zip"), labels("masklet"), labels("csv")],
  },
];

export const exportChoices: readonly ExportChoice[] = exportGroups.flatMap((group) => group.choices);

const MOVING = new Set(["gif", "alpha-prores", "alpha-vp9", "alpha-ffv1", "coco-video", "sav", "mots", "cvat-video"]);
const OF_IMAGES: Readonly<Record<string, ExportChoice>> = {
  overlay: other("overlay", "Picture with masks", "PNG with every object in its colour.", "png"),
  effects: other("effects", "Picture with effects", "PNG as the Effects tab shows it.", "png"),
};

/** What there is for a video, or for an image: pictures, and, unless videos can go along, nothing that moves. */
export function groupsFor(isImage: boolean, isAlone: boolean): readonly ExportGroup[] {
  if (!isImage) return exportGroups;
  return exportGroups.map(({ title, choices }) => ({
    title,
    choices: choices.filter(({ id }) => !isAlone || !MOVING.has(id)).map((one) => OF_IMAGES[one.id] ?? one),
  }));
}

/** Names of the formats that can be imported, for a sentence. */
export function readableNames(): string[] {
  return Object.values(formats).filter((one) => one.isReadable).map((one) => one.name);
}
