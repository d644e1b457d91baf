/** One open project: what the page can do with it. Everything that a person does ends in a method here. */
import { ApiError, describeError, NoAnswerError } from "../api/client";
import { cancelJob, listJobs, loadProject, renameProject, sendChange, track, type Direction, type EditReply } from "../api/requests";
import { ProjectSocket } from "../api/socket";
import { findMedia, findObject, type Job, type Media, type ObjectState, type Project } from "../model/document";
import { EditQueue, StaleError, type Change, type Step } from "../model/editQueue";
import { describeDamage } from "../model/words";
import { concernsMasks, nameOf, type Edit } from "../model/edits";
import type { EffectSettings } from "../effects";
import { initialState, isNewer, keepsApart, rangeToTrack, runningTrack, withNews, type Notice, type StudioState } from "../model/state";
import { Store } from "../model/store";
import { Checking } from "./checking";
import { FrameDesk } from "./frameDesk";
import { MaskDesk } from "./maskDesk";
import { ProgressDesk } from "./progressDesk";
import { rememberApart, rememberedApart, rememberedEffects, rememberEffects } from "./remembered";

const RETRY_MS = 1200;

export class StudioSession {
  readonly store: Store<StudioState>;
  readonly desk: MaskDesk;
  readonly frames: FrameDesk;
  private readonly queue: EditQueue<EditReply>;
  private readonly socket: ProjectSocket;
  private readonly checking = new Checking();
  private readonly progress = new ProgressDesk((news) => { this.store.set({ jobs: withNews(this.state.jobs, news) }); });
  private lastNotice = 0;
  private isClosed = false;
  private newestRevision = 0;

  constructor(project: Project) {
    this.store = new Store({ ...initialState(project), isApart: rememberedApart(project.id) });
    this.desk = new MaskDesk({
      onChange: () => { this.bump(); },
      onTracked: (frame) => {
        this.progress.show();
        this.follow(frame);
      },
      onError: (error) => { this.tellError(error); },
    });
    this.frames = new FrameDesk({
      onLoaded: () => { this.noteLoaded(); },
      onError: (error) => { this.tellError(error); },
      onTimes: (timesS) => { this.store.set({ timesS }); },
      onPlay: (frame, isOver) => {
        this.show(frame);
        if (isOver) this.pause();
      },
    });
    this.queue = new EditQueue(project, {
      send: (known, change, editId) => this.sendUntilAnswered(known, change, editId),
      onProject: (next) => { this.takeProject(next); },
      onDone: (change, reply) => { this.afterChange(change, reply); },
      onRefused: (change, error) => { this.afterRefusal(change, error); },
      onMoved: ({ mediaId, from, to }) => {
        if (this.state.mediaId !== mediaId) return;
        if (this.state.selectedId === from) this.store.set({ selectedId: to });
        this.desk.reload(this.state.frame); // what was painted has the id of another page's object
      },
    });
    this.socket = new ProjectSocket(project.id, {
      onHello: ({ revision, jobs, isGap }) => {
        this.store.set({ jobs });
        if (revision > this.queue.revision || isGap) void this.reload();
      },
      onEdit: ({ revision }) => {
        this.newestRevision = Math.max(this.newestRevision, revision);
        this.catchUp();
      },
      onJob: (job) => { this.takeJob(job); },
      onChanged: () => void this.reload(),
      onMask: (message) => { this.desk.take(message); },
      onConnection: (isOpen) => { this.store.set({ saving: isOpen ? this.savingNow() : "offline" }); },
    });
    this.open(this.state.mediaId);
    void this.loadJobs();
  }

  close(): void {
    this.isClosed = true;
    this.socket.close();
    this.frames.close();
    this.desk.close();
    this.progress.close();
  }

  get state(): StudioState {
    return this.store.get();
  }

  get media(): Media | null {
    return findMedia(this.state.project, this.state.mediaId);
  }

  get selected(): ObjectState | null {
    return this.media === null ? null : findObject(this.media, this.state.selectedId);
  }

  // what is looked at

  open(mediaId: string | null): void {
    const media = findMedia(this.state.project, mediaId);
    this.frames.open(media);
    this.store.set({
      mediaId: media?.id ?? null,
      frame: 0,
      isPlaying: false,
      isFollowing: false,
      isNewObject: false,
      candidates: null,
      preview: null,
      timesS: [],
      effects: rememberedEffects(media?.id ?? ""),
      selectedId: media?.objects[0]?.id ?? null,
    });
    this.desk.open(media);
    this.checking.clear();
    this.show(0);
    const damage = media === null ? null : describeDamage(media);
    if (damage !== null) this.tell(damage, "error");
  }

  /** A file has come in: load the project and show what was added last. */
  async openNewest(): Promise<void> {
    await this.reload();
    const newest = [...this.state.project.media].sort((a, b) => a.created_s - b.created_s).at(-1);
    if (newest !== undefined && newest.id !== this.state.mediaId) this.open(newest.id);
  }

  openNext(step: 1 | -1): void {
    const { media } = this.state.project;
    const place = media.findIndex((one) => one.id === this.state.mediaId) + step;
    if (place >= 0 && place < media.length) this.open(media[place].id);
  }

  /** A person chose a frame: whatever moved the picture by itself stops. */
  seek(frame: number): void {
    this.pause();
    this.store.set({ isFollowing: false });
    this.show(frame);
  }

  play(): void {
    const media = this.media;
    if (media === null || media.num_frames < 2 || this.state.timesS.length < 2) return;
    const start = this.state.frame >= media.num_frames - 1 ? 0 : this.state.frame;
    this.store.set({ isPlaying: true, isFollowing: false, preview: null });
    this.show(start);
    this.frames.play(start);
  }

  pause(): void {
    this.frames.stop();
    this.store.set({ isPlaying: false });
  }

  togglePlay(): void {
    if (this.state.isPlaying) this.pause();
    else this.play();
  }

  /** Jump to the frame of which the model is least sure, among those that nobody looked at. */
  seekNextToCheck(): void {
    this.checking.seekNext(this);
  }

  setEffects(effects: EffectSettings): void {
    this.store.set({ effects });
    rememberEffects(this.state.mediaId ?? "", effects);
  }

  setApart(isApart: boolean): void {
    this.store.set({ isApart });
    rememberApart(this.state.project.id, isApart);
  }

  // objects

  select(objectId: number | null): void {
    this.store.set({ selectedId: objectId, isNewObject: false, preview: null });
  }

  selectNext(step: 1 | -1): void {
    const objects = this.media?.objects ?? [];
    if (objects.length === 0) return;
    const place = objects.findIndex((one) => one.id === this.state.selectedId);
    this.select(objects[(place + step + objects.length) % objects.length].id);
  }

  beginObject(): void {
    this.pause();
    const tool = this.state.tool === "pan" ? "click" : this.state.tool;
    this.store.set({ isNewObject: true, selectedId: null, isAdding: true, preview: null, candidates: null, tool });
  }

  // changes

  edit(edit: Edit): void {
    this.queue.add(edit);
    const undoNames = [...this.state.undoNames, nameOf(edit)].slice(-100);
    this.store.set({ undoNames, redoNames: [], preview: null, saving: this.savingNow() });
  }

  step(step: Step): void {
    const { project, undoNames, redoNames } = this.state;
    if ((step === "undo" ? project.num_undo : project.num_redo) === 0) return;
    this.queue.add({ kind: step });
    const [from, to] = step === "undo" ? [undoNames, redoNames] : [redoNames, undoNames];
    const [left, taken] = [from.slice(0, -1), [...to, ...from.slice(-1)]];
    this.store.set(step === "undo" ? { undoNames: left, redoNames: taken } : { undoNames: taken, redoNames: left });
  }

  async rename(name: string): Promise<void> {
    if (name.trim() === "" || name === this.state.project.name) return;
    await this.attempt(async () => {
      await renameProject(this.state.project.id, name.trim());
      await this.reload();
    });
  }

  // tracking

  async track(direction: Direction): Promise<void> {
    const media = this.media;
    if (media === null || runningTrack(this.state) !== null) return;
    const range = rangeToTrack(media, direction);
    if (range === null) {
      this.tell("Click an object first; then it can be followed.");
      return;
    }
    this.pause();
    // before it is asked for: a short clip is done before the answer is here
    this.store.set({ isFollowing: true, isNewObject: false });
    await this.attempt(async () => {
      try {
        this.takeJob(await track(media.id, { ...range, direction, keeps_apart: keepsApart(this.state.isApart, media) }));
      } catch (error) {
        this.store.set({ isFollowing: false });
        throw error;
      }
    });
  }

  async cancelTracking(): Promise<void> {
    const job = runningTrack(this.state);
    if (job !== null) await this.attempt(() => cancelJob(job.id));
  }

  // saying things

  tell(text: string, kind: Notice["kind"] = "info", action?: Notice["action"]): void {
    const id = ++this.lastNotice;
    const others = this.state.notices.filter((one) => one.text !== text).slice(-2);
    this.store.set({ notices: [...others, { id, kind, text, ...(action === undefined ? {} : { action }) }] });
  }

  tellError(error: unknown): void {
    if (this.isClosed) return;
    if (error instanceof NoAnswerError) this.store.set({ saving: "offline" });
    else this.tell(describeError(error), "error");
  }

  dismiss(id: number): void {
    this.store.set({ notices: this.state.notices.filter((one) => one.id !== id) });
  }

  /** Do something that may fail, and say so when it does. */
  async attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.tellError(error);
      return false;
    }
  }

  async reload(): Promise<void> {
    await this.attempt(async () => {
      this.queue.replace(await loadProject(this.state.project.id));
      if (this.media === null) this.open(this.state.project.media[0]?.id ?? null);
      else this.desk.reload(this.state.frame);
    });
  }

  /** News of a job; an answer that was overtaken by the stream is older than what is known. */
  takeJob(job: Job): void {
    const known = this.state.jobs.find((one) => one.id === job.id);
    if (known !== undefined && !isNewer(job, known)) return;
    if (this.progress.takes(job, known)) return;
    this.store.set({ jobs: withNews(this.state.jobs, [job]) });
    if (job.kind !== "track" || job.status === "waiting" || job.status === "running") return;
    void this.endTracking(job);
  }

  /** The last masks may still be on their way through the worker; they are shown before the end is told. */
  private async endTracking(job: Job): Promise<void> {
    await this.attempt(() => this.desk.settle());
    const wasFollowing = this.state.isFollowing;
    this.store.set({ isFollowing: false });
    if (wasFollowing && this.desk.trackedFrame !== null) this.show(this.desk.trackedFrame);
    if (job.status === "failed") this.tell(job.message, "error");
    if (job.status !== "done" || !wasFollowing) return;
    const action = { label: "Next to check", perform: () => { this.seekNextToCheck(); } };
    this.tell("Followed all the way. Play it, or jump to the frame to check.", "done", action);
  }

  /** Show a frame that was just tracked, unless the one before it is still being fetched. */
  private follow(frame: number): void {
    if (this.state.isFollowing && this.frames.picture(this.state.frame) !== null) this.show(frame);
  }

  private show(frame: number): void {
    const media = this.media;
    if (media === null) return;
    const shown = Math.min(Math.max(0, frame), media.num_frames - 1);
    this.store.set({ frame: shown, ...(shown === this.state.frame ? {} : { preview: null, candidates: null }) });
    this.frames.want(shown, this.state.isPlaying ? "playing" : this.state.isFollowing ? "following" : "paused");
    this.desk.need(shown);
  }

  private noteLoaded(): void {
    if (this.state.isFollowing) this.desk.noteShown();
    this.store.set({ framesVersion: this.state.framesVersion + 1 });
  }

  private bump(): void {
    this.store.set({ masksVersion: this.state.masksVersion + 1, lanesVersion: this.state.lanesVersion + 1 });
  }

  private savingNow(): StudioState["saving"] {
    return this.queue.numPending > 0 ? "saving" : "saved";
  }

  private takeProject(project: Project): void {
    const media = findMedia(project, this.state.mediaId);
    const isThere = media !== null && findObject(media, this.state.selectedId) !== null;
    this.store.set({
      project,
      saving: this.savingNow(),
      isBusy: this.queue.numPending > 0 && this.state.isBusy,
      ...(isThere || this.state.isNewObject ? {} : { selectedId: media?.objects.at(-1)?.id ?? null }),
    });
  }

  private async sendUntilAnswered(project: Project, change: Change, editId: string): Promise<EditReply> {
    this.store.set({ isBusy: concernsMasks(change) });
    for (;;) {
      try {
        return await sendChange(project, change, editId);
      } catch (error) {
        if (!(error instanceof NoAnswerError) || this.isClosed) throw error;
        this.store.set({ saving: "offline" });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private afterChange(change: Change, reply: EditReply): void {
    this.store.set({ isBusy: false, saving: this.savingNow() });
    this.catchUp();
    if (change.kind === "undo" || change.kind === "redo" || change.kind === "clear-frame") {
      void this.reload();
    } else if (change.kind === "remove-object") {
      this.desk.removeObject(change.objectId);
    } else if (change.kind === "take-objects") {
      const media = findMedia(this.state.project, change.mediaId);
      // another page was quicker: its objects have the ids under which these were shown
      if (reply.masks?.[0].object_id !== change.firstId || media === null) void this.reload();
      else if (media.id === this.state.mediaId) void this.desk.takeReplies(reply.masks, media);
    } else if ("frame" in change) {
      if (reply.dropped != null) this.desk.drop(change.objectId, reply.dropped);
      const media = findMedia(this.state.project, change.mediaId);
      if (reply.mask == null || media === null) void this.reload();
      else if (media.id === this.state.mediaId) void this.desk.takeReplies([reply.mask], media);
    }
  }

  private afterRefusal(change: Change, error: unknown): void {
    this.store.set({ isBusy: false, saving: this.savingNow() });
    if (error instanceof StaleError) this.tell("Another page changed this meanwhile; look again and repeat.", "error");
    else if (!(error instanceof ApiError && error.code.startsWith("no_"))) this.tellError(error);
    if (change.kind !== "change-object") void this.reload();
  }

  /** Another page's edit came in while ours were on their way: load what it made of the project. */
  private catchUp(): void {
    if (this.queue.numPending === 0 && this.newestRevision > this.queue.revision) void this.reload();
  }

  private async loadJobs(): Promise<void> {
    await this.attempt(async () => {
      const jobs = await listJobs(this.state.project.id);
      const known = new Set(this.state.jobs.map((one) => one.id));
      this.store.set({ jobs: [...jobs.filter((one) => !known.has(one.id)), ...this.state.jobs] });
    });
  }
}
