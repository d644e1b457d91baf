/** How far trackings have come, shown together with what they find: drawing the page takes time from them. */
import type { Job } from "../model/document";

/** Where no masks are told, as when frames are passed over, it is shown by itself. */
const ALONE_MS = 1000;

export class ProgressDesk {
  private readonly held = new Map<string, Job>();
  private waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly onShow: (jobs: readonly Job[]) => void) {}

  /** Whether the news is only that a tracking goes on: then it is kept until there is more to draw. */
  takes(job: Job, known: Job | undefined): boolean {
    const goesOn = job.kind === "track" && job.status === "running" && known?.status === "running";
    if (goesOn) {
      this.held.set(job.id, job);
      this.waiting ??= setTimeout(() => { this.show(); }, ALONE_MS);
    } else {
      this.held.delete(job.id);
    }
    return goesOn;
  }

  show(): void {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    const jobs = [...this.held.values()];
    this.held.clear();
    if (jobs.length > 0) this.onShow(jobs);
  }

  close(): void {
    clearTimeout(this.waiting);
    this.held.clear();
  }
}
