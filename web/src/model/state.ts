import { originalSettings, type EffectSettings } from "../effects";
import type { Mask } from "../masks/runs";
import type { Job, Project } from "./document";
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
  /** Whether objects exclude each other while they are tracked. */
  readonly isApart: boolean;
  readonly isBusy: boolean;
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
    isApart: false,
    isBusy: false,
    panel: "objects",
    dialog: "none",
    notices: [],
    undoNames: [],
    redoNames: [],
    timesS: [],
    effects: originalSettings,
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
