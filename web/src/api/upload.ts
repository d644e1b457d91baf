/** Files in parts: a cut connection goes on where it stopped. */
import type { components } from "../wire/schema";
import { ApiError, call, NoAnswerError, send } from "./client";

type UploadState = components["schemas"]["UploadState"];

export interface UploadProgress {
  readonly sent: number;
  readonly total: number;
}

const MOST_FAILURES = 6;

/** Sends a file and gives the id of the finished upload. */
export async function uploadFile(
  file: File,
  onProgress: (progress: UploadProgress) => void,
  signal: AbortSignal,
): Promise<string> {
  if (file.size === 0) throw new Error(`${file.name} is empty; choose another file.`);
  let state = await call("post", "/api/uploads", { body: { name: file.name, num_bytes: file.size }, signal });
  let failures = 0;
  while (state.num_received < file.size) {
    onProgress({ sent: state.num_received, total: file.size });
    try {
      state = await sendPart(file, state, signal);
      failures = 0;
    } catch (error) {
      if (!canGoOn(error) || ++failures > MOST_FAILURES) throw error;
      await pause(300 * 2 ** failures, signal);
      const path = { upload_id: state.id };
      state = await call("get", "/api/uploads/{upload_id}", { path, signal }).catch(() => state);
    }
  }
  onProgress({ sent: file.size, total: file.size });
  return state.id;
}

async function sendPart(
  file: File,
  state: UploadState,
  signal: AbortSignal,
): Promise<UploadState> {
  const start = state.num_received;
  const part = file.slice(start, start + state.chunk_bytes);
  const url = `/api/uploads/${state.id}?offset=${String(start)}`;
  const response = await send(url, { method: "PUT", body: part, signal });
  return (await response.json()) as UploadState;
}

function canGoOn(error: unknown): boolean {
  return error instanceof NoAnswerError || (error instanceof ApiError && (error.status >= 500 || error.status === 409));
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("The upload was cancelled.", "AbortError"));
    });
  });
}
