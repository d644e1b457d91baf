/** Files on their way in: one after the other, with progress, errors in words. */
import { describeError } from "../api/client";
import { addMedia, addSample, createProject, importProject } from "../api/requests";
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
          target ??= (await createProject(nameWithoutEnding(file.name))).id;
          await addMedia(target, uploadId);
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
      await addSample(project.id);
      this.dismiss(id);
      return project.id;
    } catch (error) {
      this.change(id, { status: "failed", message: describeError(error) });
      return null;
    }
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

function wrongKind(name: string): string {
  return `${name} is not an image or a video. Use MP4, MOV, WebM, MKV, AVI, GIF, JPEG, PNG or WebP, or a masklet project (ZIP).`;
}

function nameWithoutEnding(name: string): string {
  return name.replace(/\.[^.]+$/, "") || name;
}
