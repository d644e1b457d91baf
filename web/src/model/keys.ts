/** Keys as text, such as "mod+shift+z". */

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/** What was pressed; shift counts only where it does not already make another character. */
export function keyName(press: KeyPress): string {
  const isLetter = /^[a-z]$/i.test(press.key);
  const isNamed = press.key.length > 1;
  const key = press.key === " " ? "Space" : isLetter ? press.key.toLowerCase() : press.key;
  const parts = [
    press.ctrlKey || press.metaKey ? "mod" : "",
    press.altKey ? "alt" : "",
    press.shiftKey && (isLetter || isNamed) ? "shift" : "",
    key,
  ];
  return parts.filter((part) => part !== "").join("+");
}

const names: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  Escape: "Esc",
  Delete: "Del",
  PageDown: "Page down",
  PageUp: "Page up",
  shift: "Shift",
  alt: "Alt",
};

/** Keys as they stand on the keyboard. */
export function shownKeys(name: string, isMac: boolean): string[] {
  const parts = name === "+" ? ["+"] : name.split("+");
  return parts.map((part) => (part === "mod" ? (isMac ? "⌘" : "Ctrl") : (names[part] ?? (part.length === 1 ? part.toUpperCase() : part))));
}
