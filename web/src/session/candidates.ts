/** Objects that are proposed on a frame (all there are, those that words name, those like another one) and taken or left. */
import { ApiError } from "../api/client";
import { findByWords, findCandidates, findSimilar, type Findings } from "../api/requests";
import type { ImagePoint } from "../geometry/points";
import { areaOf, contains, subtract, union } from "../masks/runs";
import { nextObjectId, paletteColor } from "../model/document";
import { classNamed } from "../model/ontology";
import type { Candidates } from "../model/state";
import { maskEdit } from "./maskDesk";
import type { StudioSession } from "./studioSession";

type Source = Candidates["source"];

/** Letters of masks in one request; the server takes a little more. */
const MOST_COUNTS = 3_000_000;

/** Everything that looks like an object. */
export function proposeEverything(session: StudioSession): Promise<void> {
  return propose(session, "everything", (mediaId, frame) => findCandidates(mediaId, frame));
}

/** What words name; no words stand for all classes. What cannot be looked for is said beside the words. */
export async function proposeByWords(session: StudioSession, text: string): Promise<void> {
  const say = (problem: string): void => { session.store.set({ words: { text, problem } }); };
  say("");
  await propose(session, "words", async (mediaId, frame) => {
    try {
      return await findByWords(mediaId, frame, text);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      say(error.message);
      return null;
    }
  });
}

/** What looks like the selected object. */
export async function proposeSimilar(session: StudioSession): Promise<void> {
  const { selected } = session;
  if (selected !== null) await propose(session, "similar", (mediaId, frame) => findSimilar(mediaId, frame, selected.id));
}

async function propose(session: StudioSession, source: Source, find: (mediaId: string, frame: number) => Promise<Findings | null>): Promise<void> {
  const { media, state } = session;
  if (media === null) return;
  session.pause();
  const searching: Candidates = { status: "searching", source, list: [], hovered: null, chosen: [] };
  session.store.set({ candidates: searching, preview: null, panel: "objects" });
  const isDone = await session.attempt(async () => {
    const found = await find(media.id, state.frame);
    if (session.state.candidates !== searching || session.state.frame !== state.frame) return;
    if (found === null) {
      session.store.set({ candidates: null });
      return;
    }
    const masks = await session.desk.decode(found.suggestions.map((one) => one.counts), media);
    if (session.state.candidates !== searching || session.state.frame !== state.frame) return;
    const list = found.suggestions.map((one, place) => ({
      mask: masks[place],
      counts: one.counts,
      score: one.score,
      label: one.label,
      color: classNamed(state.project, one.label)?.color ?? paletteColor(place + 1),
    }));
    // what was asked for is likely wanted; everything is not
    const chosen = source === "everything" ? [] : list.map((_, place) => place);
    const words = sayMissing(source, found);
    if (words !== null) session.tell(words);
    session.store.set({ candidates: list.length === 0 ? null : { status: "ready", source, list, hovered: null, chosen } });
  });
  if (!isDone) session.store.set({ candidates: null });
}

/** What to say of a search besides its finds; null when they speak for themselves. */
export function sayMissing(source: Source, found: Pick<Findings, "suggestions" | "missing" | "num_known">): string | null {
  const missing = found.missing.map((word) => `“${word}”`).join(", ");
  if (found.suggestions.length > 0) return missing === "" ? null : `Not found on this frame: ${missing}.`;
  if (found.num_known > 0) return "Nothing new: what was found is among the objects already.";
  if (source === "words") return `Nothing on this frame was taken for ${missing}. Try another frame or other words, or click the object.`;
  if (source === "similar") return "Nothing else on this frame looks like it.";
  return "Nothing stands out on this frame; click an object instead.";
}

export function candidateAt(session: StudioSession, point: ImagePoint): number | null {
  const list = session.state.candidates?.list ?? [];
  let found: number | null = null;
  list.forEach((one, place) => {
    if (!contains(one.mask, point.x, point.y)) return;
    if (found === null || areaOf(one.mask) < areaOf(list[found].mask)) found = place;
  });
  return found;
}

export function toggleCandidate(session: StudioSession, place: number): void {
  const { candidates } = session.state;
  if (candidates === null) return;
  const chosen = candidates.chosen.includes(place)
    ? candidates.chosen.filter((one) => one !== place)
    : [...candidates.chosen, place];
  session.store.set({ candidates: { ...candidates, chosen } });
}

/** Put one candidate in place of the chosen ones: all together, or the first without the others. */
export function combineCandidates(session: StudioSession, how: "merge" | "subtract"): void {
  const { candidates } = session.state;
  if (candidates === null || candidates.chosen.length < 2) return;
  const [first, ...others] = candidates.chosen.map((place) => candidates.list[place]);
  const mask = others.reduce((made, one) => (how === "merge" ? union : subtract)(made, one.mask), first.mask);
  if (areaOf(mask) === 0) {
    session.tell("Nothing would be left; choose the larger one first.");
    return;
  }
  const gone = new Set(how === "merge" ? candidates.chosen : candidates.chosen.slice(0, 1));
  const list = candidates.list.filter((_, place) => !gone.has(place));
  const made = { ...first, mask, counts: maskEdit(mask).counts };
  session.store.set({ candidates: { ...candidates, list: [made, ...list], chosen: [0], hovered: null } });
}

export function rejectCandidates(session: StudioSession): void {
  const { candidates } = session.state;
  if (candidates === null) return;
  const list = candidates.list.filter((_, place) => !candidates.chosen.includes(place));
  session.store.set({ candidates: list.length === 0 ? null : { ...candidates, list, chosen: [], hovered: null } });
}

/** Make objects of the chosen ones; a label becomes a class, which is added when it is new. */
export function acceptCandidates(session: StudioSession): void {
  const { candidates, frame } = session.state;
  if (candidates === null || session.media === null) return;
  const accepted = candidates.chosen.map((place) => candidates.list[place]);
  const edits = inRequests(accepted);
  for (const part of edits) {
    const { media } = session;
    const firstId = nextObjectId(media);
    const taken = part.map(({ mask, label }) => ({ ...maskEdit(mask), label }));
    part.forEach(({ mask }, place) => { session.desk.putPainted(firstId + place, frame, mask); });
    session.edit({ kind: "take-objects", mediaId: media.id, frame, taken, firstId });
  }
  session.store.set({ candidates: null, selectedId: session.media.objects.at(-1)?.id ?? null, isNewObject: false });
  if (accepted.length > 1) offerUndo(session, `${String(accepted.length)} objects were taken.`, edits.length);
}

/** All in one edit, unless their masks are more than the server takes at a time. */
export function inRequests<One extends { readonly counts: string }>(list: readonly One[], most = MOST_COUNTS): One[][] {
  const parts: One[][] = [];
  let size = Infinity;
  for (const one of list) {
    if (size + one.counts.length > most) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(one);
    size += one.counts.length;
  }
  return parts;
}

/** Take back what was just done, as long as nothing was done since. */
function offerUndo(session: StudioSession, text: string, numEdits: number): void {
  const { undoNames } = session.state;
  session.tell(text, "done", {
    label: "Undo",
    perform: () => {
      if (session.state.undoNames !== undoNames) return;
      for (let count = 0; count < numEdits; count++) session.step("undo");
    },
  });
}
