/** What a person should look at first. */
import type { components } from "../wire/schema";

export type ReviewEntry = components["schemas"]["ReviewState"];

export interface Review {
  /** Least certain first; null until it was loaded. */
  readonly entries: readonly ReviewEntry[] | null;
  /** The one that is looked at. */
  readonly current: string | null;
}

export function keyOf(entry: Pick<ReviewEntry, "media_id" | "object_id">): string {
  return `${entry.media_id}/${String(entry.object_id)}`;
}

/** The next one that nobody accepted: after the current one, then from the start; null when all are accepted. */
export function nextToReview(entries: readonly ReviewEntry[], current: string | null): ReviewEntry | null {
  const place = entries.findIndex((one) => keyOf(one) === current);
  const others = [...entries.slice(place + 1), ...entries.slice(0, place + 1)];
  return others.find((one) => !one.is_accepted) ?? null;
}

export type Doubt = "high" | "middle" | "low";

export function doubtOf(uncertainty: number): Doubt {
  return uncertainty > 0.6 ? "high" : uncertainty > 0.3 ? "middle" : "low";
}
