/** Files on their way in: one after the other, with progress, errors in words. */
import { describeError } from "../api/client";
import { addMedia, addSample, createProject, importProject, removeProject } from "../api/requests";
import { uploadFile } from "../api/upload";
import { Store } from "../model/store";

export interface Incoming {
  readonly id: number;
  readonly name: string;
  readonly share: number;
  readonly status: "waiting" | "sending" | "opening" | "done" | "failed";
  readonly message: string;
}

interface IncomingState {
  readonly files: readonly Incoming[];
}

const KINDS = /\.(mp4|m4v|mov|webm|mkv|avi|gif|jpe?g|png|webp|bmp|tiff?|zip)$/i;
export const ACCEPTED = "video/*,image/*,.mkv,.avi,.mov,.m4v,.zip";

export class MediaIn {
  readonly store = new Store<IncomingState>({ files: [] });
  private lastId = 0;
  private readonly leaving = new AbortController();

  close(): void {
    this.leaving.abort();
  }

  dismiss(id: number): void {
    this.store.set({ files: this.store.get().files.filter((one) => one.id !== id) });
  }

  /** Put files into a project, or into a new one; gives the project when at least one file could be used. */
  async take(files: readonly File[], projectId: string | null): Promise<string | null> {
    const listed = files.map((file) => ({ file, id: this.announce(file.name) }));
    let target = projectId;
    let numTaken = 0;
    for (const { file, id } of listed) {
      try {
        if (!KINDS.test(file.name)) throw new Error(wrongKind(file.name));
        const uploadId = await this.send(file, id);
        this.change(id, { status: "opening", share: 1 });
        if (/\.zip$/i.test(file.name)) target = (await importProject(uploadId)).id;
        else {
          target = await this.add(uploadId, target, file.name);
        }
        this.change(id, { status: "done" });
        this.dismiss(id);
        numTaken++;
      } catch (error) {
        if (this.leaving.signal.aborted) return null;
        this.change(id, { status: "failed", message: describeError(error) });
      }
    }
    return numTaken > 0 ? target : null;
  }

  async takeSample(): Promise<string | null> {
    const id = this.announce("Sample clip");
    this.change(id, { status: "opening", share: 1 });
    try {
      const project = await createProject("Cup shuffle");
      await orRemove(project.id, addSample(project.id));
      this.dismiss(id);
      return project.id;
    } catch (error) {
      this.change(id, { status: "failed", message: describeError(error) });
      return null;
    }
  }

  /** Make a file a medium of a project, or of a new one, of which nothing is left when the file cannot be used. */
  private async add(uploadId: string, projectId: string | null, name: string): Promise<string> {
    if (projectId !== null) {
      await addMedia(projectId, uploadId);
      return projectId;
    }
    const { id } = await createProject(nameWithoutEnding(name));
    await orRemove(id, addMedia(id, uploadId));
    return id;
  }

  private async send(file: File, id: number): Promise<string> {
    this.change(id, { status: "sending" });
    return uploadFile(file, ({ sent, total }) => { this.change(id, { share: sent / total }); }, this.leaving.signal);
  }

  private announce(name: string): number {
    const id = ++this.lastId;
    const one: Incoming = { id, name, share: 0, status: "waiting", message: "" };
    const others = this.store.get().files.filter((file) => file.status !== "failed" || file.name !== name);
    this.store.set({ files: [...others, one] });
    return id;
  }

  private change(id: number, changes: Partial<Incoming>): void {
    const files = this.store.get().files.map((one) => (one.id === id ? { ...one, ...changes } : one));
    this.store.set({ files });
  }
}

/** What is done in a new project; when that fails, the project goes. */
async function orRemove(projectId: string, done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    await removeProject(projectId).catch(() => undefined); // the error that counts is the first one
    throw error;
  }
}

function wrongKind(name: string): string {
  return `${name} is not an image or a video. Use MP4, MOV, WebM, MKV, AVI, GIF, JPEG, PNG or WebP, or a masklet project (ZIP).`;
}

function nameWithoutEnding(name: string): string {
  return name.replace(/\.[^.]+$/, "") || name;
}
