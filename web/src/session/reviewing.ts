/** The review queue: from one doubtful object to the next, each opened where the model was least sure. */
import { loadReview } from "../api/requests";
import { keyOf, nextToReview, type ReviewEntry } from "../model/review";
import type { StudioSession } from "./studioSession";

/** Load the queue anew; the one that is looked at stays. */
export async function loadQueue(session: StudioSession): Promise<void> {
  const { id } = session.state.project;
  await session.attempt(async () => {
    const entries = await loadReview(id);
    session.store.set({ review: { ...session.state.review, entries } });
  });
}

/** Show an object on its least certain frame. */
export function openEntry(session: StudioSession, entry: ReviewEntry): void {
  if (session.state.mediaId !== entry.media_id) session.open(entry.media_id);
  session.store.set({ review: { ...session.state.review, current: keyOf(entry) }, tool: "click", candidates: null });
  session.seek(entry.frame);
  session.select(entry.object_id);
}

export function currentEntry(session: StudioSession): ReviewEntry | null {
  const { entries, current } = session.state.review;
  return entries?.find((one) => keyOf(one) === current) ?? null;
}

export function openNextEntry(session: StudioSession): void {
  const { entries, current } = session.state.review;
  const next = nextToReview(entries ?? [], current);
  if (next !== null) openEntry(session, next);
  else session.tell("Everything is accepted. Export, or look at single ones again.", "done");
}

/** Accept the one that is looked at and go on, or take the acceptance back. */
export function acceptEntry(session: StudioSession, entry: ReviewEntry, isAccepted: boolean): void {
  const entries = session.state.review.entries?.map((one) => (keyOf(one) === keyOf(entry) ? { ...one, is_accepted: isAccepted } : one));
  session.store.set({ review: { ...session.state.review, entries: entries ?? null } });
  session.edit({ kind: "accept-object", mediaId: entry.media_id, objectId: entry.object_id, isAccepted });
  if (isAccepted) openNextEntry(session);
}

export function acceptCurrent(session: StudioSession): void {
  const entry = currentEntry(session);
  if (entry !== null) acceptEntry(session, entry, !entry.is_accepted);
}
