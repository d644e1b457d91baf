import { useEffect } from "react";
import { keyName } from "../model/keys";
import { commands, run } from "../session/commands";
import type { StudioSession } from "../session/studioSession";

const TYPING = "input:not([type=range]):not([type=radio]):not([type=color]), textarea, select";

/** Keys that work wherever the focus is, unless something is being typed. */
export function useShortcuts(session: StudioSession): void {
  useEffect(() => {
    let isPointed = false; // what has the focus has it from the pointer: Space then plays, and does not press it again
    const point = (): void => { isPointed = true; };
    const leave = (event: KeyboardEvent): void => { isPointed &&= event.key === " "; };
    const press = (event: KeyboardEvent): void => {
      const target = event.target as Element | null;
      if (event.defaultPrevented || target?.closest(TYPING) != null) return;
      if (session.state.dialog !== "none" && event.key !== "?") return;
      const name = keyName(event);
      if (pressesButton(target, name, isPointed && (session.media?.num_frames ?? 0) > 1)) return;
      const command = commands.find((one) => one.keys.includes(name));
      if (command !== undefined) {
        event.preventDefault();
        run(session, command);
      } else if (setClass(session, name)) event.preventDefault();
    };
    window.addEventListener("pointerdown", point, true);
    window.addEventListener("keydown", leave, true);
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("pointerdown", point, true);
      window.removeEventListener("keydown", leave, true);
      window.removeEventListener("keydown", press);
    };
  }, [session]);
}

/** Whether a key is for the button that has the focus; Space is not where it plays instead, but for entries of a menu. */
function pressesButton(target: Element | null, name: string, plays: boolean): boolean {
  const button = target?.closest("button, a, summary") ?? null;
  if (button === null || (name !== "Space" && name !== "Enter")) return false;
  return name === "Enter" || !plays || button.closest("[role=menu]") !== null;
}

/** Label the selected object with the class that has this key. */
function setClass(session: StudioSession, key: string): boolean {
  const { media, selected, state } = session;
  const found = state.project.classes.find((one) => one.shortcut !== "" && one.shortcut === key);
  if (found === undefined || media === null) return false;
  if (selected === null) {
    session.tell("Select an object first; then its class key labels it.");
    return true;
  }
  const class_id = selected.class_id === found.id ? null : found.id;
  session.edit({ kind: "change-object", mediaId: media.id, objectId: selected.id, changes: { class_id } });
  return true;
}
