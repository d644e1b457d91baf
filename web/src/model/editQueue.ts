/**
 * Sends edits one after the other and shows their result before the server has answered. What is shown is the server's
 * project with all unanswered edits applied, so a refusal takes an edit back by itself.
 */
import { applyEdit, stillApplies, type Edit } from "./edits";
import { rebased, type Rebased } from "./rebase";
import type { Project } from "./document";

export type Step = "undo" | "redo";
export type Change = Edit | { readonly kind: Step };

export interface Reply {
  readonly revision: number;
}

/** What the server said to an edit that was not made on its newest revision. */
export class StaleError extends Error {
  constructor(readonly state: Project) {
    super("Another page changed the project meanwhile.");
  }
}

export interface Sender<R extends Reply> {
  /** Sends one edit made on a project; rejects with StaleError when the project is newer. */
  send: (project: Project, change: Change, editId: string) => Promise<R>;
  onProject: (project: Project) => void;
  onDone: (change: Change, reply: R) => void;
  onRefused: (change: Change, error: unknown) => void;
  /** A new object has another id than it was shown with, since another page made one first. */
  onMoved: (moved: NonNullable<Rebased["moved"]>) => void;
}

interface Pending {
  change: Change;
  readonly editId: string;
}

const MOST_TRIES = 8;

export class EditQueue<R extends Reply> {
  private readonly pending: Pending[] = [];
  private isSending = false;

  constructor(
    private known: Project,
    private readonly sender: Sender<R>,
  ) {}

  get numPending(): number {
    return this.pending.length;
  }

  get revision(): number {
    return this.known.revision;
  }

  /** The server's project with everything applied that it has not answered yet. */
  get project(): Project {
    return this.pending.reduce((project, { change }) => applied(project, change), this.known);
  }

  /** Take over a project that is newer than ours. */
  replace(project: Project): void {
    if (project.revision < this.known.revision) return;
    this.known = project;
    this.sender.onProject(this.project);
  }

  add(change: Change): void {
    this.pending.push({ change, editId: newEditId() });
    this.sender.onProject(this.project);
    void this.sendAll();
  }

  private async sendAll(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    try {
      while (this.pending.length > 0) await this.sendFirst(this.pending[0]);
    } finally {
      this.isSending = false;
      this.sender.onProject(this.project);
    }
  }

  private async sendFirst(one: Pending): Promise<void> {
    try {
      const reply = await this.tryUntilFresh(one);
      this.pending.shift();
      this.settle(one.change, reply);
    } catch (error) {
      this.pending.shift();
      this.sender.onProject(this.project);
      this.sender.onRefused(one.change, error);
    }
  }

  private async tryUntilFresh(one: Pending): Promise<R> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.sender.send(this.known, one.change, one.editId);
      } catch (error) {
        if (!(error instanceof StaleError) || tries >= MOST_TRIES) throw error;
        const before = this.known;
        this.known = error.state;
        if (isEdit(one.change)) this.rebase(before, one, one.change);
        if (isEdit(one.change) && !stillApplies(this.known, one.change)) throw error;
      }
    }
  }

  private rebase(before: Project, one: Pending, edit: Edit): void {
    const { edit: meant, moved, later } = rebased(before, this.known, edit);
    for (const other of this.pending) if (other !== one && isEdit(other.change)) other.change = later(other.change);
    one.change = meant;
    if (moved !== null) this.sender.onMoved(moved);
  }

  private settle(change: Change, reply: R): void {
    const after = applied(this.known, change);
    if (reply.revision > this.known.revision) {
      const steps = stepsAfter(this.known, change);
      this.known = { ...after, ...steps, revision: reply.revision };
    }
    this.sender.onProject(this.project);
    this.sender.onDone(change, reply);
  }
}

function isEdit(change: Change): change is Edit {
  return change.kind !== "undo" && change.kind !== "redo";
}

function applied(project: Project, change: Change): Project {
  return isEdit(change) ? applyEdit(project, change) : project;
}

function stepsAfter(project: Project, change: Change): Pick<Project, "num_undo" | "num_redo"> {
  const { num_undo: undo, num_redo: redo } = project;
  if (change.kind === "undo") return { num_undo: Math.max(0, undo - 1), num_redo: redo + 1 };
  if (change.kind === "redo") return { num_undo: undo + 1, num_redo: Math.max(0, redo - 1) };
  return { num_undo: undo + 1, num_redo: 0 };
}

export function newEditId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
