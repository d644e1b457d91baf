/** What a person can do, as data: the same list serves keys, buttons and the sheet of shortcuts. */
import { findObject, promptsAt } from "../model/document";
import { runningTrack, type Tool } from "../model/state";
import { acceptCandidates, combineCandidates, proposeEverything, proposeSimilar, rejectCandidates } from "./candidates";
import { acceptCurrent, loadQueue, openNextEntry } from "./reviewing";
import type { StudioSession } from "./studioSession";

export type Group = "Picture" | "Objects" | "Video" | "Review" | "Project";

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly group: Group;
  /** As in "mod+shift+z"; `mod` is Ctrl, or Command on a Mac. */
  readonly keys: readonly string[];
  readonly isEnabled?: (session: StudioSession) => boolean;
  readonly perform: (session: StudioSession) => void;
}

const hasMedia = (session: StudioSession): boolean => session.media !== null;
const isVideo = (session: StudioSession): boolean => (session.media?.num_frames ?? 0) > 1;
const hasSelected = (session: StudioSession): boolean => session.selected !== null;

function tool(id: Tool, label: string, key: string): Command {
  return {
    id: `tool-${id}`,
    label,
    group: "Picture",
    keys: [key],
    isEnabled: hasMedia,
    perform: ({ store }) => { store.set({ tool: id, candidates: null, preview: null }); },
  };
}

function step(id: string, label: string, keys: readonly string[], frames: number): Command {
  return {
    id,
    label,
    group: "Video",
    keys,
    isEnabled: isVideo,
    perform: (session) => { session.seek(session.state.frame + frames); },
  };
}

function brush(id: string, label: string, key: string, factor: number): Command {
  return {
    id,
    label,
    group: "Picture",
    keys: [key],
    isEnabled: ({ state }) => state.tool === "brush",
    perform: ({ store, state }) => {
      store.set({ brushRadius: Math.min(200, Math.max(1, state.brushRadius * factor)) });
    },
  };
}

export const commands: readonly Command[] = [
  tool("click", "Click: point at an object", "v"),
  tool("box", "Box: draw around an object", "b"),
  tool("brush", "Brush: paint the mask", "p"),
  tool("lasso", "Lasso: add or cut a region", "l"),
  tool("pan", "Hand: move the picture, select objects", "h"),
  {
    id: "toggle-sign",
    label: "Switch between add and take away",
    group: "Picture",
    keys: ["x"],
    perform: ({ store, state }) => { store.set({ isAdding: !state.isAdding }); },
  },
  brush("brush-smaller", "Smaller brush", "-", 1 / 1.3),
  brush("brush-larger", "Larger brush", "=", 1.3),
  {
    id: "everything",
    label: "Find all on this frame",
    group: "Picture",
    keys: ["e"],
    isEnabled: hasMedia,
    perform: (session) => void proposeEverything(session),
  },
  {
    id: "words",
    label: "Find by words",
    group: "Picture",
    keys: ["/"],
    isEnabled: hasMedia,
    perform: ({ store }) => {
      store.set({ panel: "objects", candidates: null });
      requestAnimationFrame(() => {
        const field = document.querySelector<HTMLInputElement>("[data-testid=words]");
        field?.focus();
        field?.select();
      });
    },
  },
  {
    id: "similar",
    label: "Find all like the selected object",
    group: "Picture",
    keys: ["a"],
    isEnabled: hasSelected,
    perform: (session) => void proposeSimilar(session),
  },
  {
    id: "accept",
    label: "Take the chosen candidates as objects",
    group: "Picture",
    keys: ["shift+Enter"],
    isEnabled: ({ state }) => (state.candidates?.chosen.length ?? 0) > 0,
    perform: acceptCandidates,
  },
  {
    id: "merge",
    label: "Merge the chosen candidates",
    group: "Picture",
    keys: ["shift+m"],
    isEnabled: ({ state }) => (state.candidates?.chosen.length ?? 0) > 1,
    perform: (session) => { combineCandidates(session, "merge"); },
  },
  {
    id: "subtract",
    label: "Subtract the later chosen from the first",
    group: "Picture",
    keys: ["shift+s"],
    isEnabled: ({ state }) => (state.candidates?.chosen.length ?? 0) > 1,
    perform: (session) => { combineCandidates(session, "subtract"); },
  },
  {
    id: "reject",
    label: "Reject the chosen candidates",
    group: "Picture",
    keys: ["shift+Backspace"],
    isEnabled: ({ state }) => (state.candidates?.chosen.length ?? 0) > 0,
    perform: rejectCandidates,
  },
  {
    id: "toggle-overlay",
    label: "Show or hide all masks",
    group: "Picture",
    keys: ["o"],
    perform: ({ store, state }) => { store.set({ isOverlayShown: !state.isOverlayShown }); },
  },
  {
    id: "new-object",
    label: "New object",
    group: "Objects",
    keys: ["n"],
    isEnabled: hasMedia,
    perform: (session) => { session.beginObject(); },
  },
  {
    id: "next-object",
    label: "Next object",
    group: "Objects",
    keys: ["]"],
    isEnabled: hasMedia,
    perform: (session) => { session.selectNext(1); },
  },
  {
    id: "previous-object",
    label: "Previous object",
    group: "Objects",
    keys: ["["],
    isEnabled: hasMedia,
    perform: (session) => { session.selectNext(-1); },
  },
  {
    id: "clear-frame",
    label: "Clear what was said on this frame",
    group: "Objects",
    keys: ["c"],
    isEnabled: ({ media, state, selected }) =>
      media !== null && selected !== null && promptsAt(media, selected.id, state.frame) !== null,
    perform: (session) => {
      const { media, selected, state } = session;
      if (media === null || selected === null) return;
      session.edit({ kind: "clear-frame", mediaId: media.id, objectId: selected.id, frame: state.frame });
    },
  },
  {
    id: "remove-object",
    label: "Remove the object",
    group: "Objects",
    keys: ["Delete", "Backspace"],
    isEnabled: hasSelected,
    perform: (session) => {
      const { media, selected } = session;
      if (media !== null && selected !== null) removeObject(session, selected.id);
    },
  },
  {
    id: "toggle-visible",
    label: "Show or hide the object",
    group: "Objects",
    keys: ["s"],
    isEnabled: hasSelected,
    perform: (session) => {
      const { media, selected } = session;
      if (media === null || selected === null) return;
      const changes = { is_visible: !selected.is_visible };
      session.edit({ kind: "change-object", mediaId: media.id, objectId: selected.id, changes });
    },
  },
  {
    id: "toggle-locked",
    label: "Lock or unlock the object",
    group: "Objects",
    keys: ["k"],
    isEnabled: hasSelected,
    perform: (session) => {
      const { media, selected } = session;
      if (media === null || selected === null) return;
      const changes = { is_locked: !selected.is_locked };
      session.edit({ kind: "change-object", mediaId: media.id, objectId: selected.id, changes });
    },
  },
  {
    id: "play",
    label: "Play or pause",
    group: "Video",
    keys: ["Space"],
    isEnabled: isVideo,
    perform: (session) => { session.togglePlay(); },
  },
  step("next-frame", "Next frame", ["ArrowRight", "."], 1),
  step("previous-frame", "Previous frame", ["ArrowLeft", ","], -1),
  step("ten-forward", "Ten frames forward", ["shift+ArrowRight"], 10),
  step("ten-back", "Ten frames back", ["shift+ArrowLeft"], -10),
  {
    id: "first-frame",
    label: "First frame",
    group: "Video",
    keys: ["Home"],
    isEnabled: isVideo,
    perform: (session) => { session.seek(0); },
  },
  {
    id: "last-frame",
    label: "Last frame",
    group: "Video",
    keys: ["End"],
    isEnabled: isVideo,
    perform: (session) => { session.seek(Infinity); },
  },
  {
    id: "track",
    label: "Track, or cancel tracking",
    group: "Video",
    keys: ["t"],
    isEnabled: isVideo,
    perform: (session) =>
      void (runningTrack(session.state) === null ? session.track("forward") : session.cancelTracking()),
  },
  {
    id: "next-to-check",
    label: "Next frame to check",
    group: "Video",
    keys: ["f"],
    isEnabled: isVideo,
    perform: (session) => { session.seekNextToCheck(); },
  },
  {
    id: "review",
    label: "Review: open the most doubtful",
    group: "Review",
    keys: ["r"],
    isEnabled: hasMedia,
    perform: (session) => {
      session.store.set({ panel: "review", candidates: null });
      void loadQueue(session).then(() => { if ((session.state.review.entries ?? []).length > 0) openNextEntry(session); });
    },
  },
  {
    id: "review-accept",
    label: "Accept and go to the next",
    group: "Review",
    keys: ["y"],
    isEnabled: ({ state }) => state.panel === "review" && state.review.current !== null,
    perform: acceptCurrent,
  },
  {
    id: "review-next",
    label: "Next without accepting",
    group: "Review",
    keys: ["j"],
    isEnabled: ({ state }) => state.panel === "review",
    perform: openNextEntry,
  },
  {
    id: "undo",
    label: "Undo",
    group: "Project",
    keys: ["mod+z"],
    isEnabled: ({ state }) => state.project.num_undo > 0,
    perform: (session) => { session.step("undo"); },
  },
  {
    id: "redo",
    label: "Redo",
    group: "Project",
    keys: ["mod+shift+z", "mod+y"],
    isEnabled: ({ state }) => state.project.num_redo > 0,
    perform: (session) => { session.step("redo"); },
  },
  {
    id: "next-media",
    label: "Next image or video",
    group: "Project",
    keys: ["PageDown"],
    perform: (session) => { session.openNext(1); },
  },
  {
    id: "previous-media",
    label: "Previous image or video",
    group: "Project",
    keys: ["PageUp"],
    perform: (session) => { session.openNext(-1); },
  },
  {
    id: "export",
    label: "Export",
    group: "Project",
    keys: ["mod+e"],
    isEnabled: hasMedia,
    perform: ({ store }) => { store.set({ dialog: "export" }); },
  },
  {
    id: "import",
    label: "Import labels",
    group: "Project",
    keys: ["mod+i"],
    isEnabled: hasMedia,
    perform: ({ store }) => { store.set({ dialog: "import" }); },
  },
  {
    id: "help",
    label: "This list of keys",
    group: "Project",
    keys: ["?"],
    perform: ({ store, state }) => { store.set({ dialog: state.dialog === "help" ? "none" : "help" }); },
  },
  {
    id: "leave",
    label: "Leave what is going on",
    group: "Project",
    keys: ["Escape"],
    perform: (session) => {
      session.pause();
      session.store.set({ candidates: null, preview: null, isNewObject: false, tool: "click" });
    },
  },
];

export function removeObject(session: StudioSession, objectId: number): void {
  const { media } = session;
  const object = media === null ? null : findObject(media, objectId);
  if (media === null || object === null) return;
  session.edit({ kind: "remove-object", mediaId: media.id, objectId });
  session.tell(`${object.name} is gone.`, "info", {
    label: "Undo",
    perform: () => { session.step("undo"); },
  });
}

export function commandById(id: string): Command {
  const found = commands.find((one) => one.id === id);
  if (found === undefined) throw new RangeError(`There is no command ${id}.`);
  return found;
}

/** The command that has a key, or null. A key means one thing: classes get none that a command has. */
export function commandWithKey(key: string): Command | null {
  return commands.find((one) => key !== "" && one.keys.includes(key)) ?? null;
}

export function run(session: StudioSession, command: Command): void {
  if (command.isEnabled?.(session) !== false) command.perform(session);
}
