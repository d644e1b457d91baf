/** Class lists as files and as keys. */
import { nextClassId, paletteColor, type ClassState, type Project } from "./document";

interface OntologyFile {
  readonly format: "masklet-ontology";
  readonly version: 1;
  readonly classes: readonly ClassState[];
}

export function ontologyToText(classes: readonly ClassState[]): string {
  const file: OntologyFile = { format: "masklet-ontology", version: 1, classes };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** The same as `masklet label --ontology` reads it: words and their class, one line each. */
export function ontologyToYaml(classes: readonly ClassState[]): string {
  const lines = classes.map((one) => `${JSON.stringify(one.words.trim() === "" ? one.name : one.words.trim())}: ${JSON.stringify(one.name)}`);
  return `${lines.join("\n")}\n`;
}

/**
 * Reads our own file, a plain list of names, one per line, or lines of words and their class, as `masklet label` reads
 * them. Throws an Error with a sentence when it is neither.
 */
export function ontologyFromText(text: string): ClassState[] {
  const trimmed = text.trim();
  if (trimmed === "") throw new Error("The file is empty; give a class list of masklet or one name per line.");
  if (!trimmed.startsWith("{") && !trimmed.startsWith("[")) return classesFromNames(trimmed.split(/\r?\n/));
  let value: unknown;
  try {
    value = JSON.parse(trimmed);
  } catch {
    throw new Error("The file is not whole JSON; export the class list again.");
  }
  const listed = isRecord(value) ? value["classes"] : value;
  if (!Array.isArray(listed)) throw new Error("The file lists no classes; give a class list of masklet.");
  return listed.map(classFromJson);
}

function classesFromNames(lines: readonly string[]): ClassState[] {
  const wordsOf = new Map<string, string[]>();
  for (const line of lines.map((one) => one.trim()).filter((one) => one !== "" && !one.startsWith("#"))) {
    const [, words, name] = /^(.*\S)\s*:\s+(\S.*)$/.exec(line) ?? ["", line, line];
    const [said, known] = [unquoted(words), unquoted(name).slice(0, 255)];
    wordsOf.set(known, [...(wordsOf.get(known) ?? []), said]);
  }
  return [...wordsOf].map(([name, words], place) => {
    const isPlain = words.every((one) => one === name);
    return { ...makeClass(place + 1, name, place < 9 ? String(place + 1) : ""), words: isPlain ? "" : words.join(" . ") };
  });
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, "$2");
}

function classFromJson(value: unknown, place: number): ClassState {
  if (typeof value === "string") return makeClass(place + 1, value, place < 9 ? String(place + 1) : "");
  const name = isRecord(value) ? value["name"] : undefined;
  if (!isRecord(value) || typeof name !== "string" || name.trim() === "") {
    throw new Error(`Class ${String(place + 1)} of the file has no name.`);
  }
  const { id, color, shortcut, words } = value;
  const key = typeof shortcut === "string" && /^[0-9a-z]?$/.test(shortcut) ? shortcut : "";
  const number = typeof id === "number" && Number.isInteger(id) && id >= 0 ? id : place + 1;
  const made = { ...makeClass(number, name.trim(), key), words: typeof words === "string" ? words.slice(0, 2000) : "" };
  return typeof color === "string" && /^#[0-9a-f]{6}$/.test(color) ? { ...made, color } : made;
}

function makeClass(id: number, name: string, shortcut: string): ClassState {
  return { id, name, color: paletteColor(id), shortcut, words: "" };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The class list with one more class; it gets the first free digit as its key. */
export function withNewClass(project: Pick<Project, "classes">, name: string): ClassState[] {
  const used = new Set(project.classes.map((one) => one.shortcut));
  const shortcut = [..."123456789"].find((digit) => !used.has(digit)) ?? "";
  return [...project.classes, makeClass(nextClassId(project), name, shortcut)];
}

/** The class of this name, in any spelling of its letters, or null. */
export function classNamed(project: Pick<Project, "classes">, name: string): ClassState | null {
  const wanted = name.trim().toLowerCase();
  return wanted === "" ? null : (project.classes.find((one) => one.name.toLowerCase() === wanted) ?? null);
}

/** The class list with those that are not in it yet; null when none are. */
export function withClassesNamed(project: Pick<Project, "classes">, names: readonly string[]): ClassState[] | null {
  let classes: ClassState[] = [...project.classes];
  for (const name of names) {
    if (name.trim() !== "" && classNamed({ classes }, name) === null) classes = withNewClass({ classes }, name.trim().slice(0, 255));
  }
  return classes.length === project.classes.length ? null : classes;
}

/** The class list with one class moved up or down by one place. */
export function withClassMoved(classes: readonly ClassState[], id: number, step: 1 | -1): ClassState[] {
  const place = classes.findIndex((one) => one.id === id);
  const target = place + step;
  if (place < 0 || target < 0 || target >= classes.length) return [...classes];
  const moved = [...classes];
  [moved[place], moved[target]] = [moved[target], moved[place]];
  return moved;
}
