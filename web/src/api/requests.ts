/** The requests that the page makes, by what they are for. */
import type { EffectChoice, EffectSettings } from "../effects";
import { noPrompts, type Job, type ListedProject, type Media, type Project, type Prompts } from "../model/document";
import type { Change } from "../model/editQueue";
import { newEditId, StaleError } from "../model/editQueue";
import { promptsAfter, takenObjects } from "../model/edits";
import { isEmptyPrompts } from "../model/document";
import type { FormatName } from "../model/formats";
import type { components } from "../wire/schema";
import { address, ApiError, call } from "./client";

type Schemas = components["schemas"];
export type EditReply = Schemas["EditReply"];
export type MaskState = Schemas["MaskState"];
export type Direction = NonNullable<Schemas["NewTracking"]["direction"]>;

export async function listProjects(): Promise<readonly ListedProject[]> {
  return (await call("get", "/api/projects")).projects;
}

export function createProject(name: string): Promise<Project> {
  return call("post", "/api/projects", { body: { name } });
}

export function loadProject(id: string): Promise<Project> {
  return call("get", "/api/projects/{project_id}", { path: { project_id: id } });
}

export function renameProject(id: string, name: string): Promise<Project> {
  return call("patch", "/api/projects/{project_id}", { path: { project_id: id }, body: { name } });
}

export async function removeProject(id: string): Promise<void> {
  await call("delete", "/api/projects/{project_id}", { path: { project_id: id } });
}

export function importProject(uploadId: string): Promise<Project> {
  return call("post", "/api/imports", { body: { upload_id: uploadId } });
}

export function addMedia(projectId: string, uploadId: string): Promise<Media> {
  return call("post", "/api/projects/{project_id}/media", {
    path: { project_id: projectId },
    body: { upload_id: uploadId, allow_damaged: true },
  });
}

export function addSample(projectId: string): Promise<Media> {
  return call("post", "/api/projects/{project_id}/sample", { path: { project_id: projectId } });
}

export async function removeMedia(id: string): Promise<void> {
  await call("delete", "/api/media/{media_id}", { path: { media_id: id } });
}

export async function loadTimes(mediaId: string): Promise<readonly number[]> {
  return (await call("get", "/api/media/{media_id}/times", { path: { media_id: mediaId } })).times_s;
}

export async function loadLanes(mediaId: string): Promise<readonly Schemas["Lane"][]> {
  return (await call("get", "/api/media/{media_id}/lanes", { path: { media_id: mediaId } })).lanes;
}

export function loadMasks(mediaId: string, start: number, stop: number): Promise<Schemas["MaskRange"]> {
  return call("get", "/api/media/{media_id}/masks", { path: { media_id: mediaId }, query: { start, stop } });
}

export function track(mediaId: string, body: { start: number; stop: number; direction: Direction; keeps_apart: boolean }): Promise<Job> {
  return call("post", "/api/media/{media_id}/track", { path: { media_id: mediaId }, body });
}

export function cancelJob(id: string): Promise<Job> {
  return call("post", "/api/jobs/{job_id}/cancel", { path: { job_id: id } });
}

export async function listJobs(projectId: string): Promise<readonly Job[]> {
  return (await call("get", "/api/projects/{project_id}/jobs", { path: { project_id: projectId } })).jobs;
}

export interface ExportRequest {
  readonly kind: Schemas["NewExport"]["kind"];
  readonly format: FormatName | null;
  readonly mediaId: string | null;
  readonly withPictures: boolean;
  readonly effects: EffectSettings | null;
}

export function startExport(projectId: string, request: ExportRequest): Promise<Job> {
  const { kind, format, mediaId, withPictures, effects } = request;
  return call("post", "/api/projects/{project_id}/exports", {
    path: { project_id: projectId },
    body: {
      kind,
      media_id: mediaId,
      with_pictures: withPictures,
      ...(format === null ? {} : { format }),
      ...(effects === null ? {} : { effects: filledIn(effects) }),
    },
  });
}

interface LabelsRequest {
  readonly revision: number;
  readonly uploadId: string;
  readonly mediaId: string | null;
  readonly mode: "add" | "replace";
}

/** Puts the labels of an upload into a project. Rejects with StaleError when the project is newer. */
export async function sendLabels(projectId: string, request: LabelsRequest): Promise<Schemas["LabelsReply"]> {
  const { revision, uploadId, mediaId, mode } = request;
  const body = { revision, edit_id: newEditId(), upload_id: uploadId, media_id: mediaId, mode };
  return freshOrStale(() => call("post", "/api/projects/{project_id}/labels", { path: { project_id: projectId }, body }));
}

export async function loadReview(projectId: string): Promise<readonly Schemas["ReviewState"][]> {
  return (await call("get", "/api/projects/{project_id}/review", { path: { project_id: projectId } })).entries;
}

/** Settings with nothing left out, as the server wants them. */
function filledIn(settings: EffectSettings): NonNullable<Schemas["NewExport"]["effects"]> {
  const whole = (choice: EffectChoice) => ({ variant: "", changes: {}, ...choice });
  const byObject = Object.entries(settings.by_object).map(([id, choice]) => [id, whole(choice)] as const);
  return {
    background: whole(settings.background),
    objects: whole(settings.objects),
    by_object: Object.fromEntries(byObject),
    seed: settings.seed,
  };
}

export function previewPrompt(
  mediaId: string,
  frame: number,
  prompts: Prompts,
): Promise<Schemas["SuggestionState"]> {
  return call("post", "/api/media/{media_id}/frames/{frame}/preview", {
    path: { media_id: mediaId, frame },
    body: bodyOf(prompts),
  });
}

export type Findings = Schemas["Suggestions"];

export function findCandidates(mediaId: string, frame: number): Promise<Findings> {
  const path = { media_id: mediaId, frame };
  return call("post", "/api/media/{media_id}/frames/{frame}/candidates", { path, body: { preset: "fast" } });
}

export function findByWords(mediaId: string, frame: number, text: string): Promise<Findings> {
  const path = { media_id: mediaId, frame };
  return call("post", "/api/media/{media_id}/frames/{frame}/words", { path, body: { text } });
}

export function findSimilar(mediaId: string, frame: number, objectId: number): Promise<Findings> {
  const path = { media_id: mediaId, frame };
  return call("post", "/api/media/{media_id}/frames/{frame}/similar", { path, body: { object_id: objectId } });
}

export function frameAddress(mediaId: string, frame: number, height: number | null): string {
  const path = { media_id: mediaId, frame };
  return address("/api/media/{media_id}/frames/{frame}", path, { format: "jpeg", height });
}

export function stripAddress(mediaId: string, count: number, height: number): string {
  return address("/api/media/{media_id}/filmstrip", { media_id: mediaId }, { count, height });
}

export function fileAddress(jobId: string): string {
  return address("/api/jobs/{job_id}/file", { job_id: jobId });
}

/** Sends one change made on a project. Rejects with StaleError when the project is newer. */
export function sendChange(project: Project, change: Change, editId: string): Promise<EditReply> {
  return freshOrStale(() => requestOf(project, change, { revision: project.revision, edit_id: editId }));
}

async function freshOrStale<Answer>(send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof ApiError && error.status === 409 && error.state !== null) throw new StaleError(error.state);
    throw error;
  }
}

function bodyOf(prompts: Prompts): Schemas["PromptBody"] {
  return { clicks: prompts.clicks, box: prompts.box ?? null, mask: prompts.mask ?? null };
}

function requestOf(project: Project, change: Change, edit: Schemas["Edit"]): Promise<EditReply> {
  switch (change.kind) {
    case "undo":
      return call("post", "/api/projects/{project_id}/undo", { path: { project_id: project.id }, body: edit });
    case "redo":
      return call("post", "/api/projects/{project_id}/redo", { path: { project_id: project.id }, body: edit });
    case "set-classes":
      return call("put", "/api/projects/{project_id}/ontology", {
        path: { project_id: project.id },
        body: { ...edit, classes: change.classes },
      });
    case "take-objects": {
      const { classes, objects } = takenObjects(project, change);
      const masked = change.taken.map(({ size, counts }, place) => ({
        mask: { size, counts },
        name: objects[place]?.name ?? "",
        class_id: objects[place]?.class_id ?? null,
      }));
      return call("post", "/api/media/{media_id}/frames/{frame}/objects", {
        path: { media_id: change.mediaId, frame: change.frame },
        body: { ...edit, objects: masked, classes },
      });
    }
    case "accept-object":
      return call("post", "/api/media/{media_id}/objects/{object_id}/review", {
        path: { media_id: change.mediaId, object_id: change.objectId },
        body: { ...edit, is_accepted: change.isAccepted },
      });
    case "change-object":
      return call("patch", "/api/media/{media_id}/objects/{object_id}", {
        path: { media_id: change.mediaId, object_id: change.objectId },
        body: { ...edit, ...change.changes },
      });
    case "remove-object":
      return call("post", "/api/media/{media_id}/objects/{object_id}/remove", {
        path: { media_id: change.mediaId, object_id: change.objectId },
        body: edit,
      });
    default: {
      const prompts = promptsAfter(project, change) ?? noPrompts;
      const path = { media_id: change.mediaId, object_id: change.objectId, frame: change.frame };
      if (isEmptyPrompts(prompts)) {
        return call("post", "/api/media/{media_id}/objects/{object_id}/frames/{frame}/clear", { path, body: edit });
      }
      return call("put", "/api/media/{media_id}/objects/{object_id}/frames/{frame}/prompts", {
        path,
        body: { ...edit, ...bodyOf(prompts), name: "" },
      });
    }
  }
}
