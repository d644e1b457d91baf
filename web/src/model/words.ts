/** Numbers in words, the same everywhere on the page. */

export function duration(seconds: number): string {
  if (seconds < 1) return "under a second";
  if (seconds < 90) return `${String(Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${String(minutes)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A place in a video: 1:02.48 */
export function timecode(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = (seconds - minutes * 60).toFixed(2).padStart(5, "0");
  return `${String(minutes)}:${rest}`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1024) return `${String(bytes)} B`;
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1024;
  return `${value < 10 ? value.toFixed(1) : String(Math.round(value))} ${units[unit]}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

export function ago(seconds: number, now: number): string {
  const past = Math.max(0, now - seconds);
  if (past < 60) return "just now";
  if (past < 3600) return `${count(Math.floor(past / 60), "minute")} ago`;
  if (past < 86400) return `${count(Math.floor(past / 3600), "hour")} ago`;
  return `${count(Math.floor(past / 86400), "day")} ago`;
}

/** What a damaged file lacks, in a sentence; null for a whole one. What the bytes say of it is for logs. */
export function describeDamage({ name, damage }: { readonly name: string; readonly damage: string | null }): string | null {
  return damage === null ? null : `${name} ${/^ends/.test(damage) ? "" : "is "}${damage.replace(/ \(.*\)$/, "")}. What is left can be used.`;
}
