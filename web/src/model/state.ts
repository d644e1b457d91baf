import { originalSettings, type EffectSettings } from "../effects";
import type { Mask } from "../masks/runs";
import type { Job, Media, Project } from "./document";
import type { Review } from "./review";

export type Tool = "click" | "box" | "brush" | "lasso" | "pan";
export type Saving = "saved" | "saving" | "offline";
export type Panel = "objects" | "effects" | "classes" | "review";
export type Dialog = "none" | "export" | "import" | "help" | "projects";

export interface Notice {
  readonly id: number;
  readonly kind: "info" | "error" | "done";
  readonly text: string;
  readonly action?: { readonly label: string; readonly perform: () => void };
}

export interface Candidate {
  readonly mask: Mask;
  readonly counts: string;
  readonly score: number;
  /** The word that found it, or "". */
  readonly label: string;
  readonly color: string;
}

/** What was found by a search of a frame, which ones the pointer or the list picked out. */
export interface Candidates {
  readonly status: "searching" | "ready";
  readonly source: "everything" | "words" | "similar";
  readonly list: readonly Candidate[];
  readonly hovered: number | null;
  readonly chosen: readonly number[];
}

/** What the page shows of one project. The project itself changes by edits only; see `edits.ts`. */
export interface StudioState {
  readonly project: Project;
  readonly mediaId: string | null;
  readonly frame: number;
  readonly isPlaying: boolean;
  readonly isFollowing: boolean;
  readonly tool: Tool;
  readonly isAdding: boolean;
  readonly brushRadius: number;
  readonly selectedId: number | null;
  readonly isNewObject: boolean;
  readonly saving: Saving;
  readonly jobs: readonly Job[];
  readonly lanesVersion: number;
  readonly masksVersion: number;
  readonly framesVersion: number;
  readonly preview: Mask | null;
  readonly cursor: readonly [number, number] | null;
  readonly candidates: Candidates | null;
  /** What was last looked for by words, and why that could not be done, or "". */
  readonly words: { readonly text: string; readonly problem: string };
  readonly review: Review;
  readonly isOverlayShown: boolean;
  /** Whether objects exclude each other while they are tracked, as stated; null when nothing was. */
  readonly isApart: boolean | null;
  readonly isBusy: boolean;
  /** Whether the picture has been behind what it should show for a while. */
  readonly isBehind: boolean;
  readonly panel: Panel;
  readonly dialog: Dialog;
  readonly notices: readonly Notice[];
  readonly undoNames: readonly string[];
  readonly redoNames: readonly string[];
  readonly timesS: readonly number[];
  readonly effects: EffectSettings;
}

export function initialState(project: Project): StudioState {
  return {
    project,
    mediaId: project.media[0]?.id ?? null,
    frame: 0,
    isPlaying: false,
    isFollowing: false,
    tool: "click",
    isAdding: true,
    brushRadius: 12,
    selectedId: project.media[0]?.objects[0]?.id ?? null,
    isNewObject: false,
    saving: "saved",
    jobs: [],
    lanesVersion: 0,
    masksVersion: 0,
    framesVersion: 0,
    preview: null,
    cursor: null,
    candidates: null,
    words: { text: "", problem: "" },
    review: { entries: null, current: null },
    isOverlayShown: true,
    isApart: null,
    isBusy: false,
    isBehind: false,
    panel: "objects",
    dialog: "none",
    notices: [],
    undoNames: [],
    redoNames: [],
    timesS: [],
    effects: originalSettings,
  };
}

/** Whether objects exclude each other while they are tracked: as stated, otherwise where there are two or more. */
export function keepsApart(isStated: boolean | null, media: Media): boolean {
  return isStated ?? media.objects.filter((one) => one.prompts.length > 0).length > 1;
}

/** The frames [start, stop) to track: from the first prompt on, up to the last one, or all; null without a prompt. */
export function rangeToTrack(media: Media, direction: "forward" | "backward" | "both"): { start: number; stop: number } | null {
  const prompted = media.objects.flatMap((object) => object.prompts.map((one) => one.frame));
  if (prompted.length === 0) return null;
  return {
    start: direction === "forward" ? Math.min(...prompted) : 0,
    stop: direction === "backward" ? Math.max(...prompted) + 1 : media.num_frames,
  };
}

export function runningTrack(state: StudioState): Job | null {
  const isActive = (job: Job): boolean => job.status === "waiting" || job.status === "running";
  return state.jobs.find((job) => job.kind === "track" && job.media_id === state.mediaId && isActive(job)) ?? null;
}

/** Whether news of a job is newer than what is known of it. */
export function isNewer(job: Job, known: Job): boolean {
  const rank = { waiting: 0, running: 1, done: 2, cancelled: 2, failed: 2 };
  return rank[job.status] > rank[known.status] || (rank[job.status] === rank[known.status] && job.num_done >= known.num_done);
}

export function withNews(jobs: readonly Job[], news: readonly Job[]): Job[] {
  const ids = new Set(news.map((one) => one.id));
  return [...jobs.filter((one) => !ids.has(one.id)), ...news];
}
